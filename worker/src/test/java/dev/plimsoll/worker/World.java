package dev.plimsoll.worker;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankMachine;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.RankTurn;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Switch;
import dev.plimsoll.model.TransferLists;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
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
    private static final int MOST_EPOCHS = 3;
    private static final Object NO_VOTE = new Object();
    /** The engine carries a decision out. */
    static final int MOVES = 1;
    /** Its own balancer is at work. */
    static final int BALANCES = 2;
    /** Its map is nobody's that was decided. */
    static final int CHANGED = 4;

    /** Is told of every transition of a rank that was not seen before. */
    interface Witness {
        void saw(RankWords before, RankEvent event, RankTurn turn);
    }

    /** What does not change from world to world. */
    static final class Scope {
        final Rules rules;
        final Powers powers;
        /** Engines move weights by themselves. */
        final boolean engineMoves;
        /** By epoch from 1: what is proposed. */
        final List<List<Batch>> decisions;

        final RankMachine machine = new RankMachine();
        final Log empty;
        final RankAcks[] acks = new RankAcks[RANKS];
        final Set<String> reached = new TreeSet<>();
        final Set<IntBuffer> covered = new HashSet<>();
        private final Map<Object, Integer> ids = new HashMap<>();
        private final Map<Placement, int[]> flat = new HashMap<>();
        private final Map<Batch, TransferLists> transfers = new HashMap<>();
        Witness witness = (before, event, turn) -> {};

        Scope(Rules rules, Powers powers, boolean engineMoves, List<List<Batch>> decisions) {
            this.rules = rules;
            this.powers = powers;
            this.engineMoves = engineMoves;
            this.decisions = decisions;
            Membership members = engineMoves
                    ? Fixture.MEMBERS.withTraits(EngineTraits.USUAL.withMovesWeights(true))
                    : Fixture.MEMBERS;
            Arrays.setAll(acks, rank -> new RankAcks(members, new RankId(rank)));
            this.empty = new Log(members, powers.splitLog());
        }

        private int id(Object value) {
            return ids.computeIfAbsent(value, unused -> ids.size());
        }

        private int[] flat(Placement placement) {
            return flat.computeIfAbsent(placement, World::flat);
        }

        private List<TransferLists.Transfer> receives(Batch batch, int rank) {
            return transfers
                    .computeIfAbsent(batch, one -> TransferLists.of(one, Fixture.MEMBERS.topology()))
                    .receives()
                    .get(rank);
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
    final RankWords[] ranks;
    /** {@code [rank][layer and slot]} expert, its complement where the slot is idle. */
    private final int[][] map = new int[RANKS][];

    private int[] weights;
    private final int[][] staging;
    /** Epoch and batch whose bytes may still move, 0 when none. */
    private final int[] moving;
    /** Whether somebody still touches staging memory that was given back. */
    private final int[] touched;

    private final int[] started;
    private final int[] startedNow;
    /** {@code [epoch - 1][rank]}. */
    private final int[][] flips;
    /** Batches after which a rank said that it has stopped, -1 when it did not. */
    private final int[][] stopped;
    /** What an engine does by itself: {@link #MOVES}, {@link #BALANCES}, {@link #CHANGED}, or several of them. */
    private final int[] engine;
    /** Whether layers may have changed between the boundary before and this one. */
    private final int[] flux;
    /** Votes that the gather before brought together; null where none arrived. */
    @SuppressWarnings("NullAway")
    private RankVote[] gathered = new RankVote[RANKS];

    private RankVote[] casting = new RankVote[RANKS];
    private boolean anyGather;
    /** The last exchange that some rank gave up: its others get nothing more. */
    private int gaveUp;

    Log log;
    final int[] delivered;
    int turn;
    int losses;
    int failedTransfers;
    int held;
    int deaf;
    int missed;
    int changes;
    int stops;
    long term = 1;

    World(Scope scope) {
        this.scope = scope;
        ranks = new RankWords[RANKS];
        int[] initial = scope.flat(Fixture.INITIAL);
        staging = new int[RANKS][ROOM];
        for (int rank = 0; rank < RANKS; rank++) {
            ranks[rank] = scope.machine.begin(Fixture.INCARNATION, 0, false, scope.engineMoves);
            map[rank] = initial;
            Arrays.fill(staging[rank], GARBAGE);
        }
        weights = initial;
        moving = new int[RANKS];
        touched = new int[RANKS];
        started = new int[RANKS];
        startedNow = new int[RANKS];
        flips = new int[MOST_EPOCHS][RANKS];
        stopped = new int[MOST_EPOCHS][RANKS];
        Arrays.stream(stopped).forEach(epoch -> Arrays.fill(epoch, -1));
        engine = new int[RANKS];
        flux = new int[RANKS];
        delivered = new int[RANKS];
        log = scope.empty;
    }

    private World(World from) {
        scope = from.scope;
        ranks = from.ranks.clone();
        staging = new int[RANKS][];
        for (int rank = 0; rank < RANKS; rank++) {
            map[rank] = from.map[rank];
            staging[rank] = from.staging[rank].clone();
        }
        weights = from.weights;
        moving = from.moving.clone();
        gaveUp = from.gaveUp;
        touched = from.touched.clone();
        started = from.started.clone();
        startedNow = from.startedNow.clone();
        flips = new int[MOST_EPOCHS][];
        stopped = new int[MOST_EPOCHS][];
        for (int epoch = 0; epoch < MOST_EPOCHS; epoch++) {
            flips[epoch] = from.flips[epoch].clone();
            stopped[epoch] = from.stopped[epoch].clone();
        }
        engine = from.engine.clone();
        flux = from.flux.clone();
        gathered = from.gathered;
        casting = from.casting.clone();
        anyGather = from.anyGather;
        log = from.log;
        delivered = from.delivered.clone();
        turn = from.turn;
        losses = from.losses;
        failedTransfers = from.failedTransfers;
        held = from.held;
        deaf = from.deaf;
        missed = from.missed;
        changes = from.changes;
        stops = from.stops;
        term = from.term;
    }

    World copy() {
        return new World(this);
    }

    /** Equal for equal worlds. */
    IntBuffer key() {
        List<Object> parts = new ArrayList<>(5 * RANKS + 1);
        for (int rank = 0; rank < RANKS; rank++) {
            parts.add(ranks[rank]);
            parts.add(IntBuffer.wrap(map[rank]));
            parts.add(IntBuffer.wrap(staging[rank]));
            parts.add(gathered[rank] == null ? NO_VOTE : gathered[rank]);
            parts.add(casting[rank] == null ? NO_VOTE : casting[rank]);
        }
        parts.add(IntBuffer.wrap(weights));
        int[][] fields = {moving, touched, started, startedNow, engine, flux, delivered};
        int[] key = new int[parts.size() + (fields.length + 2 * MOST_EPOCHS) * RANKS + 4];
        int at = 0;
        for (Object part : parts) {
            key[at++] = scope.id(part);
        }
        for (int[][] table : List.of(fields, flips, stopped)) {
            for (int[] field : table) {
                System.arraycopy(field, 0, key, at, RANKS);
                at += RANKS;
            }
        }
        key[at++] = log.id;
        key[at++] = (((((losses * 4 + failedTransfers) * 4 + held) * 8 + deaf) * 4 + missed) * 4 + changes) * 4 + stops;
        key[at++] = ((int) term * 8 + turn) << 16 | gaveUp;
        key[at] = anyGather ? 1 : 0;
        return IntBuffer.wrap(key);
    }

    boolean over() {
        for (RankWords words : ranks) {
            if (words.phase() == RankPhase.FATAL) {
                return true;
            }
        }
        return false;
    }

    /** Whether every decision that was proposed has ended. */
    boolean quiet() {
        return log.open.isEmpty() && log.proposed() > 0;
    }

    /** Whether every rank has heard how the last decision ended. */
    boolean allHaveHeard() {
        for (RankWords words : ranks) {
            boolean here = words.intAt(Word.SETTLED_VERSION) == log.version() && words.batchesFlipped() == 0;
            if (!here || words.phase().inFlight()) {
                return false;
            }
        }
        return quiet();
    }

    /** Whether the mailbox of the rank in turn is broken. */
    boolean isDeaf() {
        return (deaf & 1 << turn) != 0;
    }

    /** Whether the rank in turn could fail to see the gather before. */
    boolean mayLose() {
        return anyGather && ranks[turn].castLevel() > 0;
    }

    /** Whether the gather before lacks a vote, so that nobody can ever see all of them. */
    boolean incomplete() {
        return anyGather && (gathered[0] == null || gathered[1] == null || gathered[2] == null);
    }

    /** Whether the vote of the rank in turn reached nobody. */
    boolean unsent() {
        return ranks[turn].voted() && gathered[turn] == null;
    }

    int undelivered() {
        return isDeaf() ? 0 : log.size - delivered[turn];
    }

    /** Whether the transfers of the rank in turn may end well: everyone has started them. */
    boolean mayFinish() {
        int batch = moving[turn];
        return batch > 0 && Arrays.stream(started).allMatch(last -> last >= batch);
    }

    boolean mayFail() {
        return moving[turn] > 0;
    }

    /** Whether the end of the transfers is bad of itself: some rank of them has given up. */
    boolean givenUp() {
        return moving[turn] > 0 && gaveUp >= moving[turn];
    }

    boolean isTouched() {
        return touched[turn] != 0;
    }

    boolean engineIs(int state) {
        return (engine[turn] & state) != 0;
    }

    /** The rank in turn begins its boundary: {@code outcome} where it cannot see all votes, negative where it can. */
    void resolve(int outcome) {
        boolean spansChange = flux[turn] != 0;
        flux[turn] = engine[turn] == 0 ? 0 : 1;
        if (!anyGather) {
            feed(RankEvent.verdict(PlimsollApi.PLM_OUTCOME_NONE, 0, 0, 0));
        } else if (outcome >= 0) {
            feed(RankEvent.verdict(outcome, 0, 0, 0));
        } else {
            feed(scope.rules.verdict(Arrays.asList(gathered)));
        }
        boolean mixed = ranks[turn].staged().mixed();
        if (mixed != spansChange && !over()) {
            throw new Violation(
                    "mixed samples",
                    "rank " + turn + (mixed ? " calls a sample mixed that" : " does not call a sample mixed that")
                            + (mixed ? " ran under one map: " : " spans a change: ") + ranks[turn]);
        }
    }

    void deliver(int count) {
        for (int i = 0; i < count && undelivered() > 0; i++) {
            feed(asRead(delivered[turn]++));
        }
    }

    /** Whether what comes next is the end of the first decision. */
    boolean endIsNext() {
        if (undelivered() == 0) {
            return false;
        }
        PlanCommand next = log.command(delivered[turn]);
        return next instanceof PlanCommand.Settled settled && settled.epoch() == 1
                || next instanceof PlanCommand.Void ended && ended.epoch() == 1;
    }

    void miss() {
        missed++;
        delivered[turn]++;
    }

    /** The end of the decision that the rank in turn has not heard of, if it asks for it. */
    Optional<RankEvent> askedFor() {
        RankWords words = ranks[turn];
        return isDeaf() || words.intAt(Word.REFUSAL) != PlimsollApi.PLM_REFUSAL_BEHIND
                ? Optional.empty()
                : log.again(words.epoch(), turn);
    }

    void tellAgain(RankEvent end) {
        feed(end);
        if (ranks[turn].phase() != RankPhase.SERVING) {
            throw new Violation(
                    "liveness", "rank " + turn + " asked how a decision ended, was told and is " + ranks[turn]);
        }
    }

    void goDeaf() {
        deaf |= 1 << turn;
        feed(RankEvent.of(RankEvent.Kind.DEAF));
    }

    /** What changes nothing: an order comes once more, and a planner that was replaced still writes. */
    void deliverNoise() {
        if (isDeaf()) {
            return;
        }
        if (delivered[turn] > 0 && ranks[turn].at(Word.COMMAND_NUMBER) == delivered[turn]) {
            expectNoChange(asRead(delivered[turn] - 1));
        }
        if (ranks[turn].at(Word.TERM) > 1) {
            expectNoChange(
                    RankEvent.order(OrderHeads.of(new PlanCommand.Abort(Fixture.header(1, 1_000), 1, "zombie"))));
        }
        // The end of another decision than the one that the rank is in.
        for (int epoch = 1; epoch < ranks[turn].epoch(); epoch++) {
            log.end(epoch).ifPresent(end -> expectNoChange(RankEvent.order(OrderHeads.again(end))));
        }
        if (ranks[turn].phase() == RankPhase.SERVING) {
            log.end(ranks[turn].epoch()).ifPresent(end -> expectNoChange(RankEvent.order(OrderHeads.again(end))));
        }
    }

    private void expectNoChange(RankEvent event) {
        RankWords before = ranks[turn];
        feed(event);
        if (!before.equals(ranks[turn])) {
            throw new Violation(
                    "noise", "order " + Arrays.toString(event.words()) + " changed " + before + " to " + ranks[turn]);
        }
    }

    private RankEvent asRead(int index) {
        return log.event(index, turn);
    }

    void endTransfer(boolean verified) {
        int epoch = moving[turn] >> 8;
        int batch = moving[turn] & 0xff;
        if (verified) {
            int tag = 0;
            for (TransferLists.Transfer transfer : scope.receives(batch(epoch, batch), turn)) {
                staging[turn][tag++] = weights[
                        at(
                                transfer.move().layer().index(),
                                transfer.move().source().index())];
            }
        } else {
            gaveUp = Math.max(gaveUp, moving[turn]);
        }
        moving[turn] = 0;
        feed(RankEvent.transferEnded(epoch, batch, verified));
    }

    void freeStaging() {
        touched[turn] = 0;
        feed(RankEvent.of(RankEvent.Kind.STAGING_FREED));
    }

    /** The engine has moved its experts, or could not. */
    void endMove(int read) {
        Log.Decision decision = log.decision(ranks[turn].epoch());
        if (read == PlimsollApi.PLM_MAP_TARGET) {
            int batch = ranks[turn].intAt(Word.MOVING);
            map[turn] = decision.map(batch);
            flips[decision.propose.epoch() - 1][turn] = batch;
        }
        engine[turn] &= ~MOVES;
        if (read == PlimsollApi.PLM_MAP_OTHER) {
            engine[turn] |= CHANGED;
        }
        feed(RankEvent.moved(read));
    }

    /** The engine's own balancer begins. */
    void beginOwnMove() {
        changes++;
        engine[turn] |= BALANCES;
        flux[turn] = 1;
        feed(RankEvent.engineBusy(true));
    }

    /** It is through, with another map than before or with the same. */
    void endOwnMove(boolean changed) {
        engine[turn] &= ~BALANCES;
        if (changed) {
            engine[turn] |= CHANGED;
            feed(RankEvent.of(RankEvent.Kind.CHANGED));
        }
        feed(RankEvent.engineBusy(false));
    }

    /** The rank in turn votes; after the last one the step runs. */
    void vote(boolean arrives) {
        RankWords words = ranks[turn];
        if (words.intAt(Word.OBSERVES) == 0 && words.phase() != RankPhase.FATAL) {
            RankVote vote = scope.rules.vote(words);
            casting[turn] = arrives ? vote : null;
            feed(RankEvent.voted(vote));
            checkVote(vote);
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

    private void checkVote(RankVote vote) {
        if (vote.level() == 0) {
            return;
        }
        if (engine[turn] != 0) {
            throw new Violation("busy engines", "rank " + turn + " votes " + vote.level() + " while its engine moves");
        }
        if (touched[turn] != 0 && ranks[turn].phase() == RankPhase.WILLING) {
            throw new Violation("staging", "rank " + turn + " is willing while its staging memory is touched");
        }
        if (isDeaf()) {
            throw new Violation("deafness", "rank " + turn + " votes " + vote.level() + " though nobody can stop it");
        }
    }

    private void feed(RankEvent event) {
        RankWords before = ranks[turn];
        RankTurn after = scope.rules.on(before, event);
        scope.witness.saw(before, event, after);
        ranks[turn] = after.words();
        for (RankEffect effect : after.effects()) {
            carryOut(before, effect);
        }
        if (after.words().intAt(Word.SETTLED_VERSION) < before.intAt(Word.SETTLED_VERSION)
                || after.words().epoch() < before.epoch()) {
            throw new Violation("P7 monotone", before + " became " + after.words());
        }
        if (after.words().phase() == RankPhase.FATAL
                && before.phase() != RankPhase.FATAL
                && (before.castLevel() < 2 || event.outcome() != PlimsollApi.PLM_OUTCOME_TIMED_OUT)) {
            throw new Violation("P8 serves on", before + " became fatal though nobody can have flipped without it");
        }
    }

    private void carryOut(RankWords before, RankEffect effect) {
        int exchange = effect.epoch() << 8 | effect.batch();
        switch (effect.kind()) {
            case START_TRANSFERS -> {
                if (moving[turn] != 0 || touched[turn] != 0) {
                    throw new Violation("staging", "rank " + turn + " starts while staging memory is touched");
                }
                moving[turn] = exchange;
                started[turn] = exchange;
                startedNow[turn] = exchange;
                Arrays.fill(staging[turn], GARBAGE);
            }
            case CANCEL_TRANSFERS -> gaveUp = Math.max(gaveUp, exchange);
            case FREE_STAGING -> {
                if (moving[turn] != 0) {
                    throw new Violation("staging", "rank " + turn + " frees memory that bytes still come to");
                }
                touched[turn] = 1;
                Arrays.fill(staging[turn], GARBAGE);
            }
            case FLIP -> {
                checkAuthority(before, effect);
                flip(effect);
            }
            case MOVE -> {
                checkAuthority(before, effect);
                engine[turn] |= MOVES;
                flux[turn] = 1;
            }
            case ABANDON_GROUP -> gaveUp = Math.max(gaveUp, exchange | 0xff);
            default -> {}
        }
    }

    private void flip(RankEffect flip) {
        Batch batch = batch(flip.epoch(), flip.batch());
        int[] newMap = map[turn].clone();
        int[] newWeights = weights.clone();
        batch.moves()
                .forEach(move -> newMap[at(move.layer().index(), move.slot().index())] =
                        move.expert().index());
        int tag = 0;
        for (TransferLists.Transfer transfer : scope.receives(batch, turn)) {
            newWeights[
                    at(transfer.move().layer().index(), transfer.move().slot().index())] = staging[turn][tag++];
        }
        for (Switch change : batch.switches()) {
            int at = at(change.layer().index(), change.slot().index());
            newMap[at] = change.inUse() ? held(newMap[at]) : ~held(newMap[at]);
        }
        map[turn] = newMap;
        weights = newWeights;
        flips[flip.epoch() - 1][turn]++;
    }

    private void checkAuthority(RankWords before, RankEffect flip) {
        long hash = 0;
        boolean authority = false;
        for (int i = 0; i < delivered[turn]; i++) {
            PlanCommand command = log.command(i);
            if (scope.powers.splitLog() && turn == 2) {
                command = Log.otherwise(command);
            }
            if (command instanceof PlanCommand.Propose propose
                    && propose.epoch() == flip.epoch()
                    && propose.basedOn() == before.intAt(Word.SETTLED_VERSION)) {
                hash = propose.planHash();
            } else if (command instanceof PlanCommand.Permit permit && permit.epoch() == flip.epoch()) {
                authority = hash != 0 && permit.planHash() == hash;
            }
        }
        if (!authority) {
            throw new Violation("P3 authority", "rank " + turn + " flips " + flip);
        }
    }

    /** What the node says of a rank. */
    List<RankAck> acks(int rank) {
        RankState seen = scope.machine.describe(ranks[rank], 0);
        List<RankAck> acks = scope.acks[rank].of(seen, batch -> Optional.empty());
        if (seen.deaf()) {
            acks.addAll(scope.acks[rank].ofDeaf(seen, log.inFlight()));
        }
        return acks;
    }

    private void checkReports(int rank) {
        List<RankAck> acks = acks(rank);
        for (int epoch = 1; epoch <= MOST_EPOCHS; epoch++) {
            Reports reports = Reports.of(acks, epoch);
            if (reports.flipped() > flips[epoch - 1][rank]) {
                throw new Violation(
                        "reports", "rank " + rank + " says FLIPPED " + reports.flipped() + " before it flipped");
            }
            if (reports.stopped().isPresent()) {
                stopped[epoch - 1][rank] = reports.stopped().getAsInt();
            }
            if (stopped[epoch - 1][rank] >= 0 && stopped[epoch - 1][rank] != flips[epoch - 1][rank]) {
                throw new Violation("P5 prefix", "rank " + rank + " flips after it said ABORTED");
            }
        }
    }

    private void endOfBoundary() {
        if (over()) {
            return; // the group's next step cannot run
        }
        for (int rank = 0; rank < RANKS; rank++) {
            // A rank that lost a gather has abandoned the group's transfers too: its peers' will fail.
            if (losses == 0 && startedNow[rank] != startedNow[0]) {
                throw new Violation("start together", "transfers start on rank 0 and " + rank + " at other boundaries");
            }
        }
        Arrays.fill(startedNow, 0);
        if (!scope.engineMoves) {
            checkLockStep();
        }
        checkCoverage(map[0]);
        for (int rank = 0; rank < RANKS; rank++) {
            if (engine[rank] == 0 && !Arrays.equals(serves(rank), map[rank])) {
                throw new Violation("P6 truth", "rank " + rank + " serves other than its state says");
            }
            if (engine[rank] == 0
                    && engine[0] == 0
                    && samePlacement(ranks[rank], ranks[0])
                    && !Arrays.equals(map[rank], map[0])) {
                throw new Violation("state names map", "equal states, different maps");
            }
        }
    }

    private void checkLockStep() {
        for (int rank = 0; rank < RANKS; rank++) {
            if (engine[0] == 0 && engine[rank] == 0 && !Arrays.equals(map[rank], map[0])) {
                throw new Violation("P1 lock step", "ranks 0 and " + rank + " run a step on different maps");
            }
            for (int[] ofEpoch : flips) {
                if (ofEpoch[rank] != ofEpoch[0]) {
                    throw new Violation("P5 prefix", "ranks 0 and " + rank + " flipped different numbers of batches");
                }
            }
        }
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] != held(map[0][i])) {
                throw new Violation(
                        "P2 weights before map", Arrays.toString(weights) + " for " + Arrays.toString(map[0]));
            }
        }
    }

    private void checkCoverage(int[] routes) {
        if (!scope.covered.add(IntBuffer.wrap(routes))) {
            return;
        }
        int[][] layers = new int[Fixture.INITIAL.layers()][SLOTS];
        BitSet[] idle = new BitSet[layers.length];
        for (int layer = 0; layer < layers.length; layer++) {
            idle[layer] = new BitSet();
            for (int slot = 0; slot < SLOTS; slot++) {
                layers[layer][slot] = held(routes[at(layer, slot)]);
                idle[layer].set(slot, routes[at(layer, slot)] < 0);
            }
        }
        List<String> uncovered = PlacementRules.violations(
                Placement.of(0, layers, idle), Fixture.MEMBERS.shape(), Fixture.MEMBERS.topology());
        if (!uncovered.isEmpty()) {
            throw new Violation("P9 coverage", uncovered.toString());
        }
    }

    /** The map that a rank's words name. */
    private int[] serves(int rank) {
        RankWords words = ranks[rank];
        return words.batchesFlipped() > 0
                ? log.decision(words.epoch()).map(words.batchesFlipped())
                : scope.flat(log.settled(words.intAt(Word.SETTLED_VERSION)));
    }

    private static boolean samePlacement(RankWords one, RankWords other) {
        return named(one) == named(other);
    }

    /** The placement state in one number, as votes have it: what is flipped to the end is a version of its own. */
    private static long named(RankWords words) {
        int flipped = words.batchesFlipped();
        if (flipped == words.intAt(Word.BATCHES) || flipped == 0) {
            return flipped == 0 ? words.intAt(Word.SETTLED_VERSION) : words.epoch();
        }
        return (long) words.epoch() << 40 | (long) flipped << 32 | words.intAt(Word.SETTLED_VERSION);
    }

    private Batch batch(int epoch, int number) {
        List<Batch> batches =
                scope.powers.splitLog() && turn == 2 ? Fixture.OTHER_BATCHES : scope.decisions.get(epoch - 1);
        return batches.get(number - 1);
    }

    private static int at(int layer, int slot) {
        return layer * SLOTS + slot;
    }

    @Override
    public String toString() {
        return Arrays.toString(ranks) + " after " + log.command.map(PlanCommand::summary) + ", heard "
                + Arrays.toString(delivered) + ", moving " + Arrays.toString(moving) + ", turn " + turn;
    }

    static int[] flat(Placement placement) {
        return Arrays.stream(placement.marked()).flatMapToInt(Arrays::stream).toArray();
    }

    /** The expert of a slot of a map, where idle slots have its complement. */
    private static int held(int mapped) {
        return mapped < 0 ? ~mapped : mapped;
    }
}
