package dev.plimsoll.planner.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.SlotId;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * A world of three ranks, a plan log and lossy, repeating, reordering acks, run by a seeded random schedule: the planner under
 * test lives and dies in it, and everything it writes is held against what the ranks really did.
 */
final class Schedules {
    static final int RANKS = 3;
    private static final int LAYERS = 2;

    /** A rank as the planner may rely on it: accepts, flips only together, gives up for ever on ABORT. */
    private static final class Rank {
        private int read;
        private Optional<Propose> decision = Optional.empty();
        private boolean accepted;
        private boolean permitted;
        private boolean aborted;
        private int flipped;
        private long term;
        private int version;
        private boolean ended;
        private Placement serves;

        Rank(Placement serves) {
            this.serves = serves;
        }

        /** What its samples say: with its last flip a decision is the new version. */
        PlacementState state() {
            if (decision.isEmpty() || ended || flipped == 0) {
                return PlacementState.settled(version);
            }
            int epoch = decision.orElseThrow().epoch();
            return flipped == LAYERS ? PlacementState.settled(epoch) : new PlacementState(version, epoch, flipped);
        }
    }

    /** What a schedule has seen, so that a suite can tell that it was not about nothing. */
    record Seen(
            int settled,
            int prefixes,
            int voided,
            int quarantined,
            int crashes,
            int incarnations,
            int switched,
            int late,
            int approved,
            int rejected,
            int operatorEnds) {}

    private final Random random;
    private final Supplier<DecisionProtocol> protocols;
    private final boolean liars;
    private final List<PlanCommand> log = new ArrayList<>();
    private final TreeMap<Integer, SettledPlacement> kept = new TreeMap<>();
    private final List<RankAck> underWay = new ArrayList<>();
    private final List<RankAck> acks = new ArrayList<>();
    private final List<Rank> ranks = new ArrayList<>();
    private final Set<Integer> lied = new TreeSet<>();
    private final Set<Integer> approved = new TreeSet<>();
    private final List<Served.Segment> window = new ArrayList<>();
    private Optional<Served> whole = Optional.empty();
    private long windowFrom;
    private boolean asked;
    private int approving;
    private int rejected;
    private int operatorEnds;
    private Membership members;
    private DecisionProtocol protocol;
    private Optional<PlannerState> planner = Optional.empty();
    private int acksRead;
    private boolean termExpected;
    private long now;
    private long boundaries;
    private long waitsSince;
    private int quarantined;
    private int late;
    private int crashes;
    private int incarnations;

    /** @param liars whether a rank may report a b* that is not true */
    private Schedules(long seed, boolean liars, Supplier<DecisionProtocol> protocols) {
        this.random = new Random(seed);
        this.liars = liars;
        this.protocols = protocols;
        this.protocol = protocols.get();
        this.members = members(1, random);
        restartRanks();
    }

    /** Runs one schedule and throws an AssertionError when a rule is broken. */
    static Seen run(long seed, boolean liars, Supplier<DecisionProtocol> protocols) {
        Schedules world = new Schedules(seed, liars, protocols);
        for (int step = 0; step < 600; step++) {
            world.step();
        }
        int settled = 0;
        int prefixes = 0;
        int voided = 0;
        int switched = 0;
        for (PlanCommand command : world.log) {
            switched += command instanceof Propose propose ? propose.switches() : 0;
            settled += command instanceof PlanCommand.Settled ? 1 : 0;
            prefixes += command instanceof PlanCommand.Settled end && !end.complete() ? 1 : 0;
            voided += command instanceof PlanCommand.Void ? 1 : 0;
        }
        return new Seen(
                settled,
                prefixes,
                voided,
                world.quarantined,
                world.crashes,
                world.incarnations,
                switched,
                world.late,
                world.approved.size(),
                world.rejected,
                world.operatorEnds);
    }

    static Membership members(long incarnation) {
        return new Membership(
                        new Deployment("schedules"),
                        incarnation,
                        ModelShape.of("small", 5, 1, 0, LAYERS),
                        Topology.even(RANKS, 1, 2),
                        "test",
                        Phase.ALL,
                        GatherMode.HOST,
                        1,
                        2,
                        1,
                        1)
                .withTraits(EngineTraits.USUAL.withIdleSlots(true).withDeadlines(new Deadlines(3, 3)));
    }

    /** The next life of the deployment, whose engine starts where it wants: experts by other numbers. */
    private static Membership members(long incarnation, Random random) {
        int[][] experts = new int[LAYERS][2 * RANKS];
        for (int[] layer : experts) {
            int turn = random.nextInt(5);
            Arrays.setAll(layer, slot -> (slot % 5 + turn) % 5);
        }
        Membership usual = members(incarnation);
        return random.nextInt(3) == 0 ? usual : usual.startingWith(Placement.of(0, experts));
    }

    private void restartRanks() {
        ranks.clear();
        for (int rank = 0; rank < RANKS; rank++) {
            ranks.add(new Rank(members.start()));
        }
    }

    private void step() {
        int dice = random.nextInt(100);
        if (planner.isEmpty()) {
            if (dice < 40) {
                takeOver();
                return;
            }
        } else if (dice < 20) {
            readAck();
            return;
        } else if (dice < 28) {
            event(offer());
            return;
        } else if (dice < 31) {
            now += random.nextInt(15);
            event(new Event.TimePassed());
            return;
        } else if (dice < 32) {
            if (random.nextInt(3) == 0) {
                planner = Optional.empty();
                crashes++;
            }
            return;
        } else if (dice < 33 && random.nextInt(4) == 0) {
            event(new Event.OperatorAbort("asked"));
            return;
        } else if (dice < 34) {
            person();
            return;
        }
        if (dice < 64) {
            rankReads(random.nextInt(RANKS));
        } else if (dice < 68) {
            boundary();
        } else if (dice < 98) {
            deliver();
        } else if (dice < 99 || random.nextInt(5) > 0) {
            now++;
        } else {
            members = members(members.incarnation() + 1, random);
            incarnations++;
            restartRanks();
            window.clear();
            whole = Optional.empty();
            planner.ifPresent(state -> event(new Event.Began(members)));
        }
    }

    // ---- the planner

    private void takeOver() {
        protocol = protocols.get();
        PlanLog folded = PlanLog.of(log);
        termExpected = true;
        waitsSince = boundaries;
        Transition transition =
                protocol.takeOver(folded, List.copyOf(kept.values()), members, approved::contains, moment());
        assertThat(transition.effects())
                .as("a successor finds what is settled")
                .noneMatch(effect -> effect instanceof Effect.Alarm alarm
                        && alarm.text().contains("is not the one that the plan log ends with"));
        commit(transition);
        acksRead = 0;
    }

    /** What a planner knows of the ranks' steps is right, and sometimes nothing for long. */
    private Moment moment() {
        return new Moment(now, boundaries, random.nextInt(50) == 0);
    }

    private void readAck() {
        if (acksRead < acks.size()) {
            event(new Event.Acked(acks.get(acksRead++)));
        }
    }

    private void event(Event event) {
        commit(protocol.apply(planner.orElseThrow(), event, moment()));
    }

    /** Approves, rejects, or ends what does not end by itself. */
    private void person() {
        Stage stage = planner.orElseThrow().stage();
        if (stage instanceof Stage.Proposed proposed && proposed.approval().awaited()) {
            int epoch = proposed.decision().epoch();
            boolean yes = random.nextInt(3) > 0;
            approving = yes ? epoch : 0;
            boolean committed = commit(protocol.apply(
                    planner.orElseThrow(),
                    yes ? new Event.Approved(epoch) : new Event.Rejected(epoch, "asked"),
                    moment()));
            approving = 0;
            if (committed) {
                rejected += yes ? 0 : 1;
                if (yes) {
                    approved.add(epoch);
                }
            }
            return;
        }
        asked = true;
        int written = log.size();
        event(new Event.OperatorVoid(sight(stage), "asked"));
        operatorEnds += log.size() > written ? 1 : 0;
        asked = false;
    }

    /** What a planner knows: the acks that it has read, and the windows. */
    private Sight sight(Stage stage) {
        OptionalLong stoppedAt = acks.subList(0, acksRead).stream()
                .filter(ack -> ack.incarnation() == members.incarnation()
                        && ack.kind() == RankAck.Kind.ABORTED
                        && stage.inFlight()
                                .filter(decision -> decision.epoch() == ack.epoch())
                                .isPresent())
                .mapToLong(RankAck::step)
                .max();
        return new Sight(whole, whole, stoppedAt);
    }

    /** One transaction: all of it, or the planner dies with none of it. */
    private boolean commit(Transition transition) {
        if (random.nextInt(150) == 0) {
            planner = Optional.empty();
            crashes++;
            return false;
        }
        boolean before = planner.isPresent() && planner.orElseThrow().stage() instanceof Stage.Quarantined;
        planner = Optional.of(transition.state());
        quarantined += !before && transition.state().stage() instanceof Stage.Quarantined ? 1 : 0;
        for (Effect effect : transition.effects()) {
            if (effect instanceof Effect.Write write) {
                check(write.command());
                log.add(write.command());
            } else if (effect instanceof Effect.Settle settle) {
                kept.put(settle.placement().layer(), settle.placement());
            }
        }
        checkKept();
        return true;
    }

    private Event offer() {
        Placement settled = planner.orElseThrow().settled();
        List<Batch> batches = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            batches.add(random.nextInt(3) == 0 ? switching(settled, layer) : moving(settled, layer));
        }
        return new Event.Offer(
                settled.version(),
                batches,
                1,
                0.5,
                0.9,
                "plimsoll",
                "test",
                PlanReasons.NONE,
                Optional.empty(),
                Optional.empty(),
                new Origin(random.nextInt(3) == 0, Optional.empty()));
    }

    /** Five experts in six slots: the redundant slot gets a replica of an expert that its rank does not hold. */
    private Batch moving(Placement settled, int layer) {
        int[] experts = settled.layer(layer);
        int slot = redundant(settled, layer);
        int expert = random.nextInt(5);
        while (expert == experts[slot] || expert == experts[slot ^ 1]) {
            expert = (expert + 1) % 5;
        }
        int source = 0;
        while (experts[source] != expert) {
            source++;
        }
        return new Batch(
                layer + 1,
                List.of(new Move(new LayerId(layer), new SlotId(slot), new ExpertId(expert), new SlotId(source))));
    }

    /** The redundant slot falls idle, or comes into use. */
    private Batch switching(Placement settled, int layer) {
        int slot = redundant(settled, layer);
        return new Batch(
                layer + 1,
                List.of(),
                List.of(new Switch(new LayerId(layer), new SlotId(slot), settled.idle(layer, slot))));
    }

    /** One of the two slots that hold the same expert; the idle one, where one is. */
    private int redundant(Placement settled, int layer) {
        int[] experts = settled.layer(layer);
        List<Integer> twice = new ArrayList<>();
        for (int slot = 0; slot < experts.length; slot++) {
            int expert = experts[slot];
            if (settled.idle(layer, slot)) {
                return slot;
            }
            if (java.util.Arrays.stream(experts)
                            .filter(other -> other == expert)
                            .count()
                    == 2) {
                twice.add(slot);
            }
        }
        return twice.get(random.nextInt(2));
    }

    // ---- what the log may say

    private void check(PlanCommand command) {
        if (command instanceof Propose || command instanceof PlanCommand.Permit) {
            waitsSince = boundaries;
        }
        if (command instanceof PlanCommand.Abort abort
                && abort.reason().contains("in time")
                && !abort.reason().contains("nobody")
                && !abort.reason().contains("nothing is heard")) {
            late++;
            assertThat(boundaries - waitsSince)
                    .as("ranks have had their boundaries")
                    .isGreaterThanOrEqualTo(3);
        }
        PlanLog before = PlanLog.of(log);
        assertThat(command.header().number()).as("command numbers are dense").isEqualTo(before.number() + 1);
        if (termExpected) {
            assertThat(command).as("a reign begins with TERM").isInstanceOf(PlanCommand.Term.class);
            assertThat(command.header().term()).as("terms grow").isGreaterThan(before.term());
            termExpected = false;
            return;
        }
        assertThat(command.header().term()).as("a reign keeps its term").isEqualTo(before.term());
        if (command instanceof Propose propose) {
            assertThat(propose.epoch()).as("an epoch is used once").isGreaterThan(before.lastEpoch());
            assertThat(before.inFlight()).as("one decision at a time").isEmpty();
            assertThat(PlacementRules.violations(propose, planner.orElseThrow().settled(), members))
                    .as("the proposal is sound")
                    .isEmpty();
        } else if (command instanceof PlanCommand.Permit permit) {
            boolean free = !before.inFlight().orElseThrow().origin().needsApproval();
            assertThat(free || approved.contains(permit.epoch()) || approves(permit.epoch()))
                    .as("a person has approved what is permitted")
                    .isTrue();
            for (int rank = 0; rank < RANKS; rank++) {
                assertThat(acked(rank, permit.epoch(), RankAck.Kind.ACCEPTED))
                        .as("rank " + rank + " has accepted what is permitted")
                        .isTrue();
            }
        } else if (command instanceof PlanCommand.Settled end) {
            checkEnd(end.epoch(), end.batchesFlipped(), end.header().incarnation());
        } else if (command instanceof PlanCommand.Void end) {
            checkEnd(end.epoch(), 0, end.header().incarnation());
        }
    }

    /** Whether it is the approval itself that is being carried out. */
    private boolean approves(int epoch) {
        return approving == epoch;
    }

    private boolean acked(int rank, int epoch, RankAck.Kind kind) {
        return acks.stream()
                .anyMatch(ack -> ack.incarnation() == members.incarnation()
                        && ack.rank().index() == rank
                        && ack.epoch() == epoch
                        && ack.kind() == kind);
    }

    private void checkEnd(int epoch, int batches, long incarnation) {
        if (incarnation != members.incarnation()) {
            return;
        }
        if (asked) {
            // By what windows show, whatever was said: no liar is in them.
            for (Rank rank : ranks) {
                boolean same =
                        rank.decision.isPresent() && rank.decision.orElseThrow().epoch() == epoch;
                assertThat(same ? rank.flipped : 0)
                        .as("batches of " + epoch + " that a rank flipped when an operator ends it")
                        .isEqualTo(batches);
            }
            return;
        }
        assertThat(acks.subList(0, acksRead).stream()
                        .filter(ack -> ack.incarnation() == incarnation
                                && ack.epoch() == epoch
                                && ack.kind() == RankAck.Kind.ABORTED)
                        .map(RankAck::batch)
                        .distinct()
                        .count())
                .as("what ranks said of " + epoch + " is one thing")
                .isLessThanOrEqualTo(1);
        if (lied.contains(epoch)) {
            return;
        }
        for (Rank rank : ranks) {
            boolean same =
                    rank.decision.isPresent() && rank.decision.orElseThrow().epoch() == epoch;
            assertThat(same ? rank.flipped : 0)
                    .as("batches of " + epoch + " that a rank flipped")
                    .isEqualTo(batches);
            assertThat(batches == LAYERS || rank.aborted || !rank.permitted)
                    .as("no rank can flip more of " + epoch + " after its end")
                    .isTrue();
        }
    }

    /** The kept placement is the fold of the log's settlements (P6). */
    private void checkKept() {
        for (SettledPlacement record : kept.values()) {
            if (record.incarnation() != members.incarnation()) {
                continue;
            }
            TreeMap<Integer, Placement> folded = new TreeMap<>(PlanLog.of(log).placements(members));
            Placement last = folded.lastEntry().getValue();
            assertThat(record.placementHash())
                    .as("what is kept is what the log says")
                    .isEqualTo(last.hash());
            assertThat(record.experts())
                    .isEqualTo(LongVector.of(java.util.Arrays.stream(last.layer(record.layer()))
                            .asLongStream()
                            .toArray()));
            assertThat(record.idleSlots()).isEqualTo(last.idle(record.layer()));
        }
    }

    // ---- the ranks

    private void rankReads(int index) {
        Rank rank = ranks.get(index);
        if (rank.read == log.size()) {
            return;
        }
        PlanCommand command = log.get(rank.read++);
        if (command.header().incarnation() != members.incarnation()
                || command.header().term() < rank.term) {
            return;
        }
        rank.term = command.header().term();
        if (command instanceof Propose propose) {
            rank.decision = Optional.of(propose);
            rank.permitted = false;
            rank.aborted = false;
            rank.ended = false;
            rank.flipped = 0;
            rank.accepted = random.nextInt(40) > 0;
            ack(index, rank.accepted ? RankAck.Kind.ACCEPTED : RankAck.Kind.REFUSED, 0);
        } else if (command instanceof PlanCommand.Permit) {
            rank.permitted = true;
        } else if (command instanceof PlanCommand.Abort) {
            rank.aborted = true;
            ack(index, RankAck.Kind.ABORTED, rank.flipped);
        } else if (command instanceof PlanCommand.Settled end) {
            rank.version = end.epoch();
            rank.ended = true;
        } else if (command instanceof PlanCommand.Void) {
            rank.ended = true;
        }
    }

    /** All ranks flip the next batch, or none does: that is what the vote in the gather is for. */
    private void boundary() {
        boundaries++;
        sample();
        flip();
    }

    /** The steps up to this boundary were under the states before it. */
    private void sample() {
        for (int index = 0; index < RANKS; index++) {
            PlacementState state = ranks.get(index).state();
            if (window.stream().noneMatch(part -> part.state().equals(state))) {
                window.add(new Served.Segment(state, List.of(new RankId(index))));
            }
        }
        if (boundaries - windowFrom >= 2) {
            whole = Optional.of(new Served(new StepRange(windowFrom, boundaries), List.of(), window));
            window.clear();
            windowFrom = boundaries;
        }
    }

    private void flip() {
        for (Rank rank : ranks) {
            if (!rank.permitted
                    || rank.aborted
                    || !rank.accepted
                    || rank.flipped == LAYERS
                    || rank.decision.orElseThrow().epoch()
                            != ranks.get(0).decision.orElseThrow().epoch()) {
                return;
            }
        }
        int epoch = ranks.get(0).decision.orElseThrow().epoch();
        assertThat(log)
                .as("no rank flips more of " + epoch + " after its end")
                .noneMatch(command -> (command instanceof PlanCommand.Settled end
                                && end.epoch() == epoch
                                && end.batchesFlipped() < LAYERS)
                        || (command instanceof PlanCommand.Void voided && voided.epoch() == epoch));
        for (int index = 0; index < RANKS; index++) {
            Rank rank = ranks.get(index);
            rank.flipped++;
            rank.serves = PlanLog.after(rank.decision.orElseThrow(), rank.flipped, rank.serves, 1);
            ack(index, RankAck.Kind.FLIPPED, rank.flipped);
        }
    }

    private void ack(int rank, RankAck.Kind kind, int batch) {
        Propose decision = ranks.get(rank).decision.orElseThrow();
        int told = batch;
        if (liars && kind == RankAck.Kind.ABORTED && random.nextInt(4) == 0) {
            told = batch == 0 ? 1 : 0;
        }
        underWay.add(new RankAck(
                members.deployment(),
                members.incarnation(),
                new RankId(rank),
                decision.epoch(),
                kind,
                told,
                kind == RankAck.Kind.REFUSED ? Optional.of(Refusal.BUSY) : Optional.empty(),
                decision.planHash(),
                boundaries));
        if (told != batch) {
            lied.add(decision.epoch());
        }
    }

    /** Acks arrive in any order, some twice, some never. */
    private void deliver() {
        if (underWay.isEmpty()) {
            return;
        }
        int at = random.nextInt(underWay.size());
        RankAck ack = underWay.get(at);
        int fate = random.nextInt(60);
        if (fate > 2) {
            underWay.remove(at);
        }
        if (fate != 3) {
            acks.add(ack);
        }
    }
}
