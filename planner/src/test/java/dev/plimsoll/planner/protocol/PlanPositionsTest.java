package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.Setbacks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PlanPositionsTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final int SEEDS = 1_500;

    /** A log of one deployment, among the records of others, over incarnations, as a planner and its successors write it. */
    private static final class History {
        private record Entry(long offset, PlanCommand command) {}

        private final Random random;
        private final List<Entry> log = new ArrayList<>();
        private final TreeMap<Integer, Placement> settled = new TreeMap<>();
        private Membership members = membership(1);
        private Placement now = members.start();
        private Optional<Propose> inFlight = Optional.empty();
        private long offset;
        private long number;
        private long term = 1;
        private int epoch;

        History(Random random) {
            this.random = random;
            settled.put(0, now);
        }

        void grow() {
            offset += random.nextInt(20); // of others
            switch (random.nextInt(12)) {
                case 0 -> write(new PlanCommand.Term(header(members.incarnation(), ++term), "test"));
                case 1 -> {
                    if (random.nextInt(4) == 0) {
                        begin();
                    }
                }
                default -> decide();
            }
        }

        private void begin() {
            members = membership(members.incarnation() + 1);
            inFlight.ifPresent(decision -> write(
                    new PlanCommand.Void(header(decision.header().incarnation(), term), decision.epoch(), "began")));
            inFlight = Optional.empty();
            settled.clear();
            now = members.start();
            settled.put(0, now);
        }

        private void decide() {
            if (inFlight.isEmpty()) {
                Propose propose = new Propose(
                        header(members.incarnation(), term),
                        ++epoch,
                        now.version(),
                        random.nextLong(),
                        List.of(batch(1), batch(2)),
                        epoch,
                        0.5,
                        0.9,
                        random.nextInt(4) == 0 ? "rollback" : "random",
                        "test");
                write(propose);
                inFlight = Optional.of(propose);
                return;
            }
            Propose decision = inFlight.orElseThrow();
            PlanHeader header = header(members.incarnation(), term);
            switch (random.nextInt(5)) {
                case 0 -> write(new PlanCommand.Permit(header, decision.epoch(), decision.planHash()));
                case 1 -> write(new PlanCommand.Abort(header, decision.epoch(), "late"));
                case 2 -> {
                    write(new PlanCommand.Void(header, decision.epoch(), "nothing flipped"));
                    inFlight = Optional.empty();
                }
                default -> {
                    int batches = 1 + random.nextInt(2);
                    now = PlanLog.after(decision, batches, now, decision.epoch());
                    settled.put(now.version(), now);
                    write(new PlanCommand.Settled(header, decision.epoch(), batches, batches == 2, now.hash()));
                    inFlight = Optional.empty();
                }
            }
        }

        private Batch batch(int layer) {
            int slot = random.nextInt(12);
            return new Batch(
                    layer,
                    List.of(new Move(
                            new LayerId(layer - 1),
                            new SlotId(slot),
                            new ExpertId(random.nextInt(8)),
                            new SlotId((slot + 1) % 12))));
        }

        private PlanHeader header(long incarnation, long ofTerm) {
            return new PlanHeader(DEPLOYMENT, incarnation, ofTerm, ++number);
        }

        private void write(PlanCommand command) {
            log.add(new Entry(offset++, command));
        }
    }

    private static Membership membership(long incarnation) {
        return new Membership(
                DEPLOYMENT,
                incarnation,
                ModelShape.of("small", 8, 1, 0, 2),
                Topology.even(4, 2, 3),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                4,
                8,
                10,
                40);
    }

    @Test
    void aSuccessorThatReadsOnFromARestartKnowsWhatItWouldKnowFromTheWholeLog() {
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            History history = new History(random);
            PlanPositions positions = new PlanPositions(history.members);
            int followed = 0;
            Optional<PlanPositions.Restart> written = Optional.empty();
            Membership writtenFor = history.members;
            int lookedBackOn = 0;
            for (int turn = random.nextInt(150); turn > 0; turn--) {
                history.grow();
                positions.began(history.members);
                // What was written is read back later, or not at all before a crash.
                while (followed < history.log.size() && random.nextInt(4) > 0) {
                    History.Entry next = history.log.get(followed++);
                    positions.add(next.command(), next.offset(), version -> Optional.empty());
                }
                if (random.nextInt(5) == 0) {
                    long position =
                            followed == 0 ? 0 : history.log.get(followed - 1).offset() + 1;
                    // Windows only get younger.
                    int before = writtenFor == history.members ? lookedBackOn : 0;
                    lookedBackOn = Math.max(before, lookedBackOn(random, history));
                    written = positions.restart(position, OptionalInt.of(lookedBackOn));
                    writtenFor = history.members;
                    assertThat(written).as("seed %d", seed).isPresent();
                }
            }
            if (written.isPresent()) {
                check(seed, history, written.orElseThrow(), writtenFor, lookedBackOn);
            }
        }
    }

    /** Windows are behind by a few decisions. */
    private static int lookedBackOn(Random random, History history) {
        List<Integer> versions = new ArrayList<>(history.settled.keySet());
        return versions.get(Math.max(0, versions.size() - 1 - random.nextInt(4)));
    }

    private static void check(
            int seed, History history, PlanPositions.Restart restart, Membership writtenFor, int lookedBackOn) {
        PlanLog whole = new PlanLog();
        PlanLog some = PlanLog.since(restart.at(), writtenFor.incarnation(), restart.base());
        Setbacks ofWhole = Setbacks.NONE;
        Setbacks ofSome = Setbacks.NONE;
        for (History.Entry entry : history.log) {
            whole.add(entry.command());
            ofWhole = ofWhole.after(entry.command());
            if (restart.at().covers(entry.offset())) {
                some.add(entry.command());
                ofSome = ofSome.after(entry.command());
            }
        }
        String where = "seed " + seed + ", " + restart.at();
        assertThat(some.term()).as(where).isEqualTo(whole.term());
        assertThat(some.number()).as(where).isEqualTo(whole.number());
        assertThat(some.lastEpoch()).as(where).isEqualTo(whole.lastEpoch());
        assertThat(some.inFlight()).as(where).isEqualTo(whole.inFlight());
        long incarnation = history.members.incarnation();
        assertThat(some.lastProposal(incarnation)).as(where).isEqualTo(whole.lastProposal(incarnation));
        assertThat(some.settledVersion(incarnation)).as(where).isEqualTo(whole.settledVersion(incarnation));
        if (ofSome.incarnation() == incarnation) {
            assertThat(ofSome).as(where).isEqualTo(ofWhole);
        } else if (ofWhole.incarnation() == incarnation) {
            // Nothing of the incarnation has to be read: nothing was decided in it.
            assertThat(ofWhole.proposed()).as(where).isEmpty();
        }
        if (some.inFlight().isPresent()) {
            assertThat(some.permitted()).as(where).isEqualTo(whole.permitted());
            assertThat(some.abortReason()).as(where).isEqualTo(whole.abortReason());
        }
        SortedMap<Integer, Placement> known = some.placements(history.members);
        SortedMap<Integer, Placement> all = whole.placements(history.members);
        assertThat(all).as(where).isEqualTo(history.settled);
        int needed = writtenFor.incarnation() == incarnation ? lookedBackOn : 0;
        all.tailMap(needed).forEach((version, placement) -> {
            assertThat(known.get(version)).as(where + ", v" + version).isEqualTo(placement);
            if (version > needed) {
                assertThat(some.proposal(version)).as(where).isEqualTo(whole.proposal(version));
            }
        });
    }

    @Test
    void whatIsReadDoesNotGrowWithTheLog() {
        History history = new History(new Random(1));
        PlanPositions positions = new PlanPositions(history.members);
        int followed = 0;
        while (history.epoch < 1_000) {
            history.decide();
            for (; followed < history.log.size(); followed++) {
                History.Entry next = history.log.get(followed);
                positions.add(next.command(), next.offset(), version -> Optional.empty());
            }
        }

        var restart = positions
                .restart(history.offset, OptionalInt.of(history.now.version()))
                .orElseThrow();

        assertThat(history.log).hasSizeGreaterThan(2_500);
        assertThat(history.log.stream()
                        .filter(entry -> restart.at().covers(entry.offset()))
                        .count())
                .isLessThan(20);
    }

    @Test
    void aLogThatHasLostDecisionsSaysNothingUntilAPlacementIsKnownAgain() {
        PlanPositions positions = new PlanPositions(membership(1));
        History history = new History(new Random(3));
        while (history.settled.size() < 3) {
            history.decide();
        }
        Placement kept = history.now;
        for (History.Entry entry : history.log) {
            if (entry.command().header().number() > 2) {
                positions.add(
                        entry.command(),
                        entry.offset(),
                        version -> version == kept.version() ? Optional.of(kept) : Optional.empty());
            }
        }

        Optional<PlanPositions.Restart> lost = positions.restart(history.offset, OptionalInt.empty());
        history.decide();
        History.Entry next = history.log.get(history.log.size() - 1);
        positions.add(next.command(), next.offset(), version -> Optional.empty());

        assertThat(positions.restart(history.offset, OptionalInt.empty()).map(PlanPositions.Restart::base))
                .hasValue(kept);
        assertThat(lost.map(PlanPositions.Restart::base)).isNotEqualTo(Optional.of(kept));
    }
}
