package dev.plimsoll.worker.protocol;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Switch;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Three ranks, their weights, the gather and the plan log, as one value that is copied and changed: what happens next is decided
 * by whoever explores. Ranks take their turns within a boundary one after the other; they see only votes of the boundary before.
 */
final class World {
    static final int RANKS = 3;
    private static final int GARBAGE = -1;
    private static final int SLOTS = Fixture.INITIAL.slots();
    private static final int ROOM = Fixture.MEMBERS.stagedExpertsPerRank();

    /** What does not change from world to world. */
    static final class Scope {
        final Rules rules;
        final boolean comparesHashes;
        /** Rank 2 reads another plan of the same epoch, and leave for it. */
        final boolean splitLog;
        /** Two of them, what is proposed. */
        final List<Batch> batches;

        final Set<String> reached = new TreeSet<>();
        private final Map<Object, Integer> ids = new HashMap<>();

        Scope(Rules rules, boolean comparesHashes, boolean splitLog, List<Batch> batches) {
            this.batches = batches;
            this.rules = rules;
            this.comparesHashes = comparesHashes;
            this.splitLog = splitLog;
        }

        private int id(Object value) {
            return ids.computeIfAbsent(value, unused -> ids.size());
        }
    }

    /** An invariant that does not hold. */
    static final class Violation extends RuntimeException {
        private static final long serialVersionUID = 1L;
        final String invariant;

        Violation(String invariant, String message) {
            super(invariant + ": " + message);
            this.invariant = invariant;
        }
    }

    final Scope scope;
    final ProtocolState[] ranks = new ProtocolState[RANKS];
    /** {@code [rank][layer and slot]} expert, its complement where the slot is idle. */
    private final int[][] map = new int[RANKS][];

    private int[] weights;
    private final int[][] staging = new int[RANKS][ROOM];
    /** Batch whose bytes may still move, 0 when none. */
    private final int[] moving = new int[RANKS];

    private final int[] started = new int[RANKS];
    private final int[] startedNow = new int[RANKS];
    private final int[] flips = new int[RANKS];
    private final int[] reportedStop = new int[RANKS];
    /** Votes that the gather before brought together; null where a rank took no part. */
    @SuppressWarnings("NullAway")
    private RankVote[] gathered = new RankVote[RANKS];

    private RankVote[] casting = new RankVote[RANKS];
    private boolean anyGather;
    List<PlanCommand> log = List.of();
    final int[] delivered = new int[RANKS];
    int turn;
    int losses;
    int failedTransfers;
    long term = 1;

    World(Scope scope) {
        this.scope = scope;
        int[] initial = flat(Fixture.INITIAL);
        for (int rank = 0; rank < RANKS; rank++) {
            ranks[rank] = ProtocolState.serving(Fixture.INITIAL, false);
            map[rank] = initial;
            Arrays.fill(staging[rank], GARBAGE);
            reportedStop[rank] = -1;
        }
        weights = initial;
    }

    World copy() {
        World copy = new World(scope);
        System.arraycopy(ranks, 0, copy.ranks, 0, RANKS);
        for (int rank = 0; rank < RANKS; rank++) {
            copy.map[rank] = map[rank];
            copy.staging[rank] = staging[rank].clone();
        }
        copy.weights = weights;
        System.arraycopy(moving, 0, copy.moving, 0, RANKS);
        System.arraycopy(started, 0, copy.started, 0, RANKS);
        System.arraycopy(startedNow, 0, copy.startedNow, 0, RANKS);
        System.arraycopy(flips, 0, copy.flips, 0, RANKS);
        System.arraycopy(reportedStop, 0, copy.reportedStop, 0, RANKS);
        copy.gathered = gathered.clone();
        copy.casting = casting.clone();
        copy.anyGather = anyGather;
        copy.log = log;
        System.arraycopy(delivered, 0, copy.delivered, 0, RANKS);
        copy.turn = turn;
        copy.losses = losses;
        copy.failedTransfers = failedTransfers;
        copy.term = term;
        return copy;
    }

    /** Equal for equal worlds. */
    IntBuffer key() {
        List<Object> parts = new ArrayList<>();
        for (int rank = 0; rank < RANKS; rank++) {
            parts.add(ranks[rank]);
            parts.add(IntBuffer.wrap(map[rank]));
            parts.add(IntBuffer.wrap(staging[rank]));
            parts.add(Optional.ofNullable(gathered[rank]));
            parts.add(Optional.ofNullable(casting[rank]));
        }
        parts.add(IntBuffer.wrap(weights));
        parts.add(log);
        int[] key = new int[parts.size() + 6 * RANKS + 4];
        int at = 0;
        for (Object part : parts) {
            key[at++] = scope.id(part);
        }
        for (int[] field : List.of(moving, started, startedNow, flips, reportedStop, delivered)) {
            System.arraycopy(field, 0, key, at, RANKS);
            at += RANKS;
        }
        key[at++] = turn;
        key[at++] = losses * 4 + failedTransfers;
        key[at++] = (int) term;
        key[at] = anyGather ? 1 : 0;
        return IntBuffer.wrap(key);
    }

    boolean over() {
        return Arrays.stream(ranks).anyMatch(state -> state.phase() == RankPhase.FATAL);
    }

    /** Whether the rank in turn could fail to see the gather before. */
    boolean mayLose() {
        return anyGather
                && ranks[turn].cast().isPresent()
                && ranks[turn].cast().get().level() > 0;
    }

    int undelivered() {
        return log.size() - delivered[turn];
    }

    /** Whether the transfers of the rank in turn may end well: everyone has started them. */
    boolean mayFinish() {
        int batch = moving[turn];
        return batch > 0 && Arrays.stream(started).allMatch(last -> last >= batch);
    }

    boolean mayFail() {
        return moving[turn] > 0;
    }

    /** The rank in turn loses or resolves the gather before, and acts. */
    void resolve(boolean lose) {
        RankEvent.Verdict verdict;
        boolean complete = anyGather && Arrays.stream(gathered).allMatch(vote -> vote != null);
        if (!anyGather) {
            verdict = RankEvent.Verdict.NOTHING;
        } else if (lose || !complete) {
            verdict = new RankEvent.Verdict(RankEvent.Gather.LOST, 0, 0, 0);
        } else {
            verdict = minimum();
        }
        feed(verdict);
    }

    private RankEvent.Verdict minimum() {
        RankVote first = gathered[0];
        int level = 2;
        for (RankVote vote : gathered) {
            boolean equal = vote.epoch() == first.epoch()
                    && vote.batch() == first.batch()
                    && vote.state().equals(first.state())
                    && (!scope.comparesHashes || vote.planHash() == first.planHash());
            level = equal ? Math.min(level, vote.level()) : 0;
            if (level == 0) {
                return RankEvent.Verdict.NOTHING;
            }
        }
        return new RankEvent.Verdict(RankEvent.Gather.RESOLVED, first.epoch(), first.batch(), level);
    }

    void deliver(int count) {
        for (int i = 0; i < count && delivered[turn] < log.size(); i++) {
            feed(new RankEvent.Command(asRead(log.get(delivered[turn]++))));
        }
    }

    /** What changes nothing: the last command read comes once more, and a planner that was replaced still writes. */
    void deliverNoise() {
        if (delivered[turn] > 0) {
            expectNoChange(asRead(log.get(delivered[turn] - 1)));
        }
        if (ranks[turn].term() > 1) {
            expectNoChange(new PlanCommand.Abort(Fixture.header(1, 1_000), 1, "zombie"));
        }
    }

    private void expectNoChange(PlanCommand command) {
        ProtocolState before = ranks[turn];
        feed(new RankEvent.Command(command));
        if (!before.equals(ranks[turn])) {
            throw new Violation("noise", command + " changed " + before + " to " + ranks[turn]);
        }
    }

    private PlanCommand asRead(PlanCommand command) {
        if (!scope.splitLog || turn != 2) {
            return command;
        }
        if (command instanceof PlanCommand.Propose propose) {
            return Fixture.propose(propose.header(), propose.epoch(), Fixture.INITIAL, Fixture.OTHER_BATCHES);
        }
        if (command instanceof PlanCommand.Permit permit) {
            long hash = Fixture.propose(permit.header(), permit.epoch(), Fixture.INITIAL, Fixture.OTHER_BATCHES)
                    .planHash();
            return new PlanCommand.Permit(permit.header(), permit.epoch(), hash);
        }
        return command;
    }

    void endTransfer(boolean verified) {
        int batch = moving[turn];
        if (verified) {
            int tag = 0;
            for (Move move : batch(turn, batch).moves()) {
                if (owner(move.slot().index()) == turn) {
                    staging[turn][tag++] =
                            weights[at(move.layer().index(), move.source().index())];
                }
            }
        }
        moving[turn] = 0;
        feed(new RankEvent.TransferEnded(ranks[turn].epoch(), batch, verified));
    }

    /** The rank in turn votes; after the last one the step runs. */
    void vote() {
        ProtocolState state = ranks[turn];
        if (!state.observeOnly() && state.phase() != RankPhase.FATAL) {
            RankVote vote = scope.rules.vote(state);
            casting[turn] = vote;
            feed(new RankEvent.Voted(vote));
        }
        checkReports(turn);
        scope.reached.add(ranks[turn].phase().name());
        if (++turn == RANKS) {
            turn = 0;
            gathered = casting;
            casting = new RankVote[RANKS];
            anyGather = true;
            endOfBoundary();
        }
    }

    private void feed(RankEvent event) {
        ProtocolState before = ranks[turn];
        Transition transition = scope.rules.on(before, event);
        ranks[turn] = transition.state();
        for (RankEffect effect : transition.effects()) {
            carryOut(before, effect);
        }
        if (ranks[turn].settled().version() < before.settled().version() || ranks[turn].epoch() < before.epoch()) {
            throw new Violation("P7 monotone", before + " became " + ranks[turn]);
        }
    }

    private void carryOut(ProtocolState before, RankEffect effect) {
        if (effect instanceof RankEffect.StartTransfers start) {
            if (moving[turn] != 0) {
                throw new Violation("staging", "rank " + turn + " starts while bytes of another batch move");
            }
            moving[turn] = start.batch().number();
            started[turn] = start.batch().number();
            startedNow[turn] = start.batch().number();
            Arrays.fill(staging[turn], GARBAGE);
        } else if (effect instanceof RankEffect.FreeStaging) {
            if (moving[turn] != 0) {
                throw new Violation("staging", "rank " + turn + " frees memory that bytes still come to");
            }
            Arrays.fill(staging[turn], GARBAGE);
        } else if (effect instanceof RankEffect.Flip flip) {
            checkAuthority(before, flip);
            int[] newMap = map[turn].clone();
            int[] newWeights = weights.clone();
            int tag = 0;
            for (Move move : flip.batch().moves()) {
                int at = at(move.layer().index(), move.slot().index());
                newMap[at] = move.expert().index();
                if (owner(move.slot().index()) == turn) {
                    newWeights[at] = staging[turn][tag++];
                }
            }
            for (Switch change : flip.batch().switches()) {
                int at = at(change.layer().index(), change.slot().index());
                newMap[at] = change.inUse() ? held(newMap[at]) : ~held(newMap[at]);
            }
            map[turn] = newMap;
            weights = newWeights;
            flips[turn]++;
        }
    }

    private void checkAuthority(ProtocolState before, RankEffect.Flip flip) {
        List<PlanCommand> read =
                log.subList(0, delivered[turn]).stream().map(this::asRead).toList();
        Optional<PlanCommand.Propose> proposed = read.stream()
                .filter(PlanCommand.Propose.class::isInstance)
                .map(PlanCommand.Propose.class::cast)
                .filter(propose -> propose.epoch() == flip.epoch())
                .findFirst();
        boolean authority = proposed.isPresent()
                && proposed.get().basedOn() == before.settled().version()
                && read.stream()
                        .anyMatch(command -> command instanceof PlanCommand.Permit permit
                                && permit.epoch() == flip.epoch()
                                && permit.planHash() == proposed.get().planHash());
        if (!authority) {
            throw new Violation("P3 authority", "rank " + turn + " flips " + flip);
        }
    }

    List<RankAck> acks(int rank) {
        return RankAcks.of(Fixture.DEPLOYMENT, Fixture.INCARNATION, new RankId(rank), RankAcks.Seen.of(ranks[rank], 0));
    }

    private void checkReports(int rank) {
        for (RankAck ack : acks(rank)) {
            if (ack.kind() == RankAck.Kind.FLIPPED && ack.batch() > flips[rank]) {
                throw new Violation("reports", "rank " + rank + " says FLIPPED " + ack.batch() + " before it flipped");
            }
            if (ack.kind() == RankAck.Kind.ABORTED) {
                reportedStop[rank] = ack.batch();
            }
        }
        if (reportedStop[rank] >= 0 && reportedStop[rank] != flips[rank]) {
            throw new Violation("P5 prefix", "rank " + rank + " flips after it said ABORTED");
        }
    }

    private void endOfBoundary() {
        if (over()) {
            return; // the group's next step cannot run
        }
        for (int rank = 0; rank < RANKS; rank++) {
            if (!Arrays.equals(map[rank], map[0])) {
                throw new Violation("P1 lock step", "ranks 0 and " + rank + " run a step on different maps");
            }
            if (flips[rank] != flips[0]) {
                throw new Violation("P5 prefix", "ranks 0 and " + rank + " flipped different numbers of batches");
            }
            // A rank that lost a gather has abandoned the group's transfers too: its peers' will fail.
            if (losses == 0 && startedNow[rank] != startedNow[0]) {
                throw new Violation("start together", "transfers start on rank 0 and " + rank + " at other boundaries");
            }
        }
        Arrays.fill(startedNow, 0);
        if (!Arrays.equals(weights, Arrays.stream(map[0]).map(World::held).toArray())) {
            throw new Violation("P2 weights before map", Arrays.toString(weights) + " for " + Arrays.toString(map[0]));
        }
        int[][] layers = new int[Fixture.INITIAL.layers()][SLOTS];
        BitSet[] idle = new BitSet[layers.length];
        for (int layer = 0; layer < layers.length; layer++) {
            idle[layer] = new BitSet();
            for (int slot = 0; slot < SLOTS; slot++) {
                layers[layer][slot] = held(map[0][at(layer, slot)]);
                idle[layer].set(slot, map[0][at(layer, slot)] < 0);
            }
        }
        List<String> uncovered = PlacementRules.violations(
                Placement.of(0, layers, idle), Fixture.MEMBERS.shape(), Fixture.MEMBERS.topology());
        if (!uncovered.isEmpty()) {
            throw new Violation("P9 coverage", uncovered.toString());
        }
        for (int rank = 0; rank < RANKS; rank++) {
            if (!Arrays.equals(flat(ranks[rank].serves()), map[rank])) {
                throw new Violation("P6 truth", "rank " + rank + " serves other than its state says");
            }
            if (ranks[rank].placementState().equals(ranks[0].placementState()) && !Arrays.equals(map[rank], map[0])) {
                throw new Violation("state names map", "equal states, different maps");
            }
        }
    }

    private Batch batch(int rank, int number) {
        List<Batch> batches = scope.splitLog && rank == 2 ? Fixture.OTHER_BATCHES : scope.batches;
        return ranks[rank]
                .decision()
                .map(PlanCommand.Propose::batches)
                .orElse(batches)
                .get(number - 1);
    }

    private static int at(int layer, int slot) {
        return layer * SLOTS + slot;
    }

    private static int owner(int slot) {
        return slot / Fixture.MEMBERS.topology().slotsPerRank();
    }

    private static int[] flat(Placement placement) {
        return Arrays.stream(placement.marked()).flatMapToInt(Arrays::stream).toArray();
    }

    /** The expert of a slot of a map, where idle slots have its complement. */
    private static int held(int mapped) {
        return mapped < 0 ? ~mapped : mapped;
    }
}
