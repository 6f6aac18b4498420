package dev.plimsoll.collector;

import static java.util.Objects.requireNonNull;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes samples of snapshots: differences of each rank's absolute counters, with the steps and the placement state that they were
 * counted under.
 *
 * <p>Of a gathered snapshot it takes the ranks of its own node alone, for the others have a collector too: each cell is told once, by
 * nobody's election. A rank's sample covers all steps since its last one, so a marker, a missed snapshot or a pause of the collector
 * loses no counts; and what a snapshot says of steps that a rank's samples cover already is left out, so snapshots may come from any
 * number of rings in any order. Ranks of equal steps and state share a sample; a sample is cut by layers so that its record stays below
 * 256 KB. One incarnation, one thread; equal snapshots give equal samples.
 */
final class SampleAssembler {
    private static final int MOST_RECORD_BYTES = 256 * 1024;
    /** Names, frame, layout and vectors' lengths. */
    private static final int RECORD_OVERHEAD = 2_048;
    /** What every engine begins with, and where nothing can have been flipped yet. */
    private static final PlacementState INITIAL = PlacementState.settled(0);

    private static final long[] NOT_KNOWN = {};

    /** 2^50, thirteen days, less one: what an aggregator takes of one sample. */
    private static final long MOST_NANOS = (1L << 50) - 1;

    /** What one rank counted up to its last valid snapshot: one object for as long as the rank is this node's. */
    private static final class Baseline {
        long step;
        /** Of the steps up to {@link #step}. */
        PlacementState state;
        /** Of the first boundary interval after {@link #step}, where that boundary's votes were seen. */
        @Nullable
        PlacementState next;

        /** Up to this boundary no vote was missed: what they say of mixed steps is known. */
        long seen;
        /** Whether steps after {@link #step} ran under more than one map of experts, by votes since. */
        boolean mixed;
        /** Whether {@link #load} is what the rank sent to the slots of all ranks. */
        boolean sent;
        /** Falls of counters that a gather adds up, as they were counted at {@link #step}. */
        long resets;

        /** At {@link #step}, of this process; null where it did not say. */
        @Nullable
        StepClock clock;

        long[] load;
        /** Empty where the engine did not know. */
        long[] routed;

        Baseline(long step, PlacementState state, long[] load, long[] routed) {
            this.step = step;
            this.seen = step;
            this.state = state;
            this.load = load;
            this.routed = routed;
        }
    }

    private record Part(StepRange steps, PlacementState state, boolean mixed, boolean routedKnown, boolean timed) {}

    private final Membership members;
    private final String emitter;
    private final CollectorListener listener;
    private final int layers;
    private final int slots;
    private final boolean fromZero;
    /** {@code [rank]}: is of this node. */
    private final boolean[] own;

    private final @Nullable Baseline[] baselines;
    /** {@code [rank]}: samples up to this step are out, or its counting began here. */
    private final long[] covered;
    /** {@code [rank]}: its next snapshot is another process's, whose counters and steps may begin anywhere. */
    private final boolean[] restarted;

    private int firstOwn;
    private int endOwn;
    private boolean moved;
    private boolean begunUnderWay;

    /**
     * @param fromZero whether a rank of which nothing is known counts from step 0, for no sample of it was ever made. Else its first
     *     snapshot only tells where to count from, for what lies before may be told already
     */
    SampleAssembler(Membership members, String emitter, boolean fromZero, CollectorListener listener) {
        this.members = members;
        this.emitter = emitter;
        this.fromZero = fromZero;
        this.listener = listener;
        int ranks = members.topology().ranks();
        layers = members.shape().layers();
        slots = members.topology().slotsPerRank();
        own = new boolean[ranks];
        baselines = new Baseline[ranks];
        covered = new long[ranks];
        restarted = new boolean[ranks];
    }

    /** Of the counters of the largest sample that this membership can bring. */
    static long mostBytes(Membership members) {
        long layer = (long) members.topology().slots() * Counters.LONG;
        return Math.max(
                layer, Math.min(MOST_RECORD_BYTES, layer * members.shape().layers()));
    }

    /** This rank is of this node, to the end of the incarnation: its samples are made here and nowhere else. */
    void own(int rank) {
        firstOwn = firstOwn == endOwn ? rank : Math.min(firstOwn, rank);
        endOwn = Math.max(endOwn, rank + 1);
        own[rank] = true;
    }

    /** Goes on where a predecessor has ended. */
    void restore(RankCounts counts) {
        own(counts.rank());
        Baseline baseline = new Baseline(
                counts.step(),
                counts.state(),
                counts.load().clone(),
                counts.routed().clone());
        baseline.next = counts.next().orElse(null);
        baseline.clock = counts.clock().orElse(null);
        baseline.mixed = counts.mixed();
        baseline.sent = counts.sent();
        baseline.resets = counts.resets();
        baselines[counts.rank()] = baseline;
        covered[counts.rank()] = counts.covered();
    }

    /** Whether {@link #counts} has changed since this was asked last. */
    boolean takeMoved() {
        boolean was = moved;
        moved = false;
        return was;
    }

    void movedAgain() {
        moved = true;
    }

    /** What a successor needs in order to go on, ranks ascending; its counters stand until the next {@link #add}. */
    List<RankCounts> counts(Map<Integer, Ring.Writer> writers) {
        List<RankCounts> counts = new ArrayList<>();
        for (int rank = firstOwn; rank < endOwn; rank++) {
            Baseline base = baselines[rank];
            Ring.Writer writer = writers.get(rank);
            if (base != null && writer != null) {
                counts.add(new RankCounts(
                        rank,
                        writer,
                        base.step,
                        covered[rank],
                        base.state,
                        Optional.ofNullable(base.next),
                        Optional.ofNullable(base.clock),
                        base.mixed,
                        base.sent,
                        base.resets,
                        base.load,
                        base.routed));
            }
        }
        return counts;
    }

    /** The first rank of this node, and the end of those that it makes worth reading. */
    int firstOwn() {
        return firstOwn;
    }

    int endOwn() {
        return endOwn;
    }

    /** Another process counts for this rank from its next snapshot on. */
    void restarted(int rank) {
        restarted[rank] = true;
    }

    /** The same of ranks that do not say what their steps take. */
    List<LoadSample> add(int of, Snapshot snapshot) {
        return add(of, snapshot, rank -> Optional.empty());
    }

    /**
     * The samples that a snapshot of the ring of {@code of} completes: ranks ascending, layers ascending. All or nothing: when it
     * throws, for a snapshot that cannot be, the next one covers these steps too.
     *
     * @param clockOf what the steps of a rank had taken at the snapshot's step, in the rank's own ring: of others' time no gather tells
     */
    List<LoadSample> add(int of, Snapshot snapshot, IntFunction<Optional<StepClock>> clockOf) {
        long step = snapshot.step();
        if (step < 0 || step % members.boundarySteps() != 0) {
            throw new IllegalStateException("the ring of rank " + of + " of " + members.deployment()
                    + " has a snapshot of step " + step + ", which is no boundary: they come every "
                    + members.boundarySteps() + " steps");
        }
        int first = snapshot.firstRank();
        int count = snapshot.votes().length;
        @Nullable PlacementState[] reached = new PlacementState[count];
        @Nullable Part[] parts = new Part[count];
        long[] bits = new long[count];
        @Nullable StepClock[] clocks = new StepClock[count];
        for (int row = 0; row < count; row++) {
            if (own[first + row] && (snapshot.gathered() || first + row == of)) {
                PlacementState state = state(snapshot.votes()[row]);
                if (reaches(first + row, row, snapshot, state)) {
                    reached[row] = state;
                    clocks[row] = clockOf.apply(first + row).orElse(null);
                    parts[row] = part(first + row, row, snapshot, state, clocks[row], bits);
                }
            }
        }
        List<LoadSample> samples = samples(snapshot, parts, clocks, bits);
        for (int row = 0; row < count; row++) {
            PlacementState state = reached[row];
            if (state != null) {
                restarted[first + row] = false;
                baselines[first + row] = counted(first + row, row, snapshot, state, clocks[row]);
                covered[first + row] = Math.max(covered[first + row], step);
                moved = true;
            }
        }
        return samples;
    }

    /** Whether the snapshot brings anything new of the rank. */
    private boolean reaches(int rank, int row, Snapshot snapshot, PlacementState state) {
        Baseline base = baselines[rank];
        if (base == null && fromZero) {
            base = new Baseline(
                    0, INITIAL, new long[cells(snapshot)], new long[snapshot.routed().length == 0 ? 0 : layers]);
            base.sent = snapshot.sent();
            baselines[rank] = base;
        }
        if (base != null && snapshot.step() > base.seen) {
            // An engine that moves experts itself may have begun and ended with what nobody saw.
            boolean missed = snapshot.step() != base.seen + members.boundarySteps();
            base.mixed |= snapshot.mixed()[row] || (missed && members.traits().movesWeights());
            base.seen = snapshot.step();
        }
        if (base != null && !restarted[rank] && isNext(base, snapshot)) {
            base.next = state;
        }
        return snapshot.valid()[row] && (base == null || snapshot.step() > base.step || restarted[rank]);
    }

    /** The rank's baseline, which now holds what the snapshot says that it has counted. */
    private Baseline counted(int rank, int row, Snapshot snapshot, PlacementState state, @Nullable StepClock clock) {
        Baseline base = baselines[rank];
        if (base == null) {
            base = new Baseline(snapshot.step(), state, new long[cells(snapshot)], NOT_KNOWN);
        }
        int cells = cells(snapshot);
        base.load = base.load.length == cells ? base.load : new long[cells];
        base.sent = snapshot.sent();
        base.resets = snapshot.resets();
        base.mixed = false;
        base.seen = snapshot.step();
        base.step = snapshot.step();
        base.state = state;
        base.next = null;
        base.clock = clock;
        System.arraycopy(snapshot.load(), at(snapshot, row), base.load, 0, cells);
        if (snapshot.routed().length == 0) {
            base.routed = NOT_KNOWN;
        } else {
            base.routed = base.routed.length == 0 ? new long[layers] : base.routed;
            System.arraycopy(snapshot.routed(), row * layers, base.routed, 0, layers);
        }
        return base;
    }

    /** Counters of a rank in a layer. */
    private int width(Snapshot snapshot) {
        return snapshot.sent() ? members.topology().slots() : slots;
    }

    private int cells(Snapshot snapshot) {
        return layers * width(snapshot);
    }

    /** Where a row's counters begin; what was sent is of one rank alone. */
    private int at(Snapshot snapshot, int row) {
        return snapshot.sent() ? 0 : row * layers * slots;
    }

    private boolean isNext(Baseline base, Snapshot snapshot) {
        return snapshot.step() == base.step + members.boundarySteps();
    }

    /** What the rank's differences are of, and how large they are; null where they are no sample. */
    private @Nullable Part part(
            int rank, int row, Snapshot snapshot, PlacementState state, @Nullable StepClock clock, long[] bits) {
        long step = snapshot.step();
        Baseline base = baselines[rank];
        if (restarted[rank]) {
            listener.onReset(rank, step);
            return null;
        }
        if (base == null) {
            if (!begunUnderWay) {
                begunUnderWay = true;
                listener.onStartedUnderWay(step);
            }
            return null;
        }
        // Not known before or not known now: then there is no difference, and none that went down.
        boolean routedKnown = snapshot.routed().length > 0 && base.routed.length > 0;
        if (base.sent != snapshot.sent() || base.resets != snapshot.resets()) {
            // Sums and what one rank sends have no difference, nor have sums of which one part began anew.
            listener.onReset(rank, step);
            return null;
        }
        bits[row] = Growth.bits(snapshot.load(), at(snapshot, row), base.load, 0, cells(snapshot));
        if (bits[row] < 0
                || (routedKnown && Growth.bits(snapshot.routed(), row * layers, base.routed, 0, layers) < 0)) {
            listener.onReset(rank, step);
            return null;
        }
        if (base.step < covered[rank]) {
            return null;
        }
        // Where the first boundary's votes were missed, the state before it is the safe guess: at worst a sample is
        // set aside as mixed although the flip stood right at its start.
        PlacementState start = base.next == null ? base.state : base.next;
        boolean mixed = base.mixed || (!isNext(base, snapshot) && !start.equals(state));
        return new Part(new StepRange(base.step, step), state, mixed, routedKnown, timed(base.clock, clock));
    }

    /** Whether the time between two boundaries is known. A clock that fell, or stood still for weeks, is another one's. */
    private static boolean timed(@Nullable StepClock before, @Nullable StepClock now) {
        return before != null
                && now != null
                && (now.busyNanos() - before.busyNanos() & ~MOST_NANOS) == 0
                && (now.idleNanos() - before.idleNanos() & ~MOST_NANOS) == 0;
    }

    private static PlacementState state(Vote vote) {
        return vote.batchesFlipped() == 0
                ? PlacementState.settled(vote.settledVersion())
                : new PlacementState(vote.settledVersion(), vote.epoch(), vote.batchesFlipped());
    }

    private List<LoadSample> samples(
            Snapshot snapshot, @Nullable Part[] parts, @Nullable StepClock[] clocks, long[] bits) {
        List<LoadSample> samples = new ArrayList<>();
        for (int from = 0; from < parts.length; ) {
            Part part = parts[from];
            long most = bits[from];
            int to = from + 1;
            while (to < parts.length && part != null && part.equals(parts[to])) {
                most |= bits[to];
                to++;
            }
            if (part != null) {
                cut(part, snapshot, clocks, from, to, Counters.width(most), samples);
            }
            from = to;
        }
        return samples;
    }

    /** Those that have a part have a baseline. */
    private Baseline base(Snapshot snapshot, int row) {
        return requireNonNull(baselines[snapshot.firstRank() + row]);
    }

    /** Over the ranks of a sample: the fold adds up those of all nodes. Empty when it is too large. */
    private long[] total(Snapshot snapshot, int fromRow, int toRow) {
        long[] total = new long[layers];
        for (int i = fromRow * layers; i < toRow * layers; i++) {
            total[i % layers] += snapshot.routed()[i] - base(snapshot, i / layers).routed[i % layers];
            if (total[i % layers] < 0) {
                return NOT_KNOWN;
            }
        }
        return total;
    }

    private void cut(
            Part part,
            Snapshot snapshot,
            @Nullable StepClock[] clocks,
            int from,
            int to,
            int width,
            List<LoadSample> samples) {
        long[] routed = part.routedKnown() ? total(snapshot, from, to) : NOT_KNOWN;
        int bytesPerLayer = (to - from) * width(snapshot) * width + Long.BYTES;
        int most = Math.max(1, (MOST_RECORD_BYTES - RECORD_OVERHEAD) / bytesPerLayer);
        for (int layer = 0; layer < layers; layer += most) {
            int count = Math.min(most, layers - layer);
            samples.add(new LoadSample(
                    members.deployment(),
                    members.incarnation(),
                    part.steps(),
                    members.phase(),
                    emitter,
                    snapshot.firstRank() + from,
                    to - from,
                    layer,
                    count,
                    width(snapshot),
                    part.state(),
                    part.mixed(),
                    routed.length == 0
                            ? LongVector.empty()
                            : LongVector.of(Arrays.copyOfRange(routed, layer, layer + count)),
                    nanos(part.timed() && layer == 0, snapshot, clocks, from, to, StepClock::busyNanos),
                    nanos(part.timed() && layer == 0, snapshot, clocks, from, to, StepClock::idleNanos),
                    snapshot.sent() ? LoadKind.ROUTED_TO : LoadKind.COMPUTED,
                    packed(snapshot, from, to, layer, count, width)));
        }
    }

    /** What the steps of some ranks took, or how long none ran; of the first of several pieces only, where they are cut by layers. */
    private LongVector nanos(
            boolean known,
            Snapshot snapshot,
            @Nullable StepClock[] clocks,
            int from,
            int to,
            ToLongFunction<StepClock> which) {
        if (!known) {
            return LongVector.empty();
        }
        long[] nanos = new long[to - from];
        for (int row = from; row < to; row++) {
            nanos[row - from] = which.applyAsLong(requireNonNull(clocks[row]))
                    - which.applyAsLong(requireNonNull(base(snapshot, row).clock));
        }
        return LongVector.wrapping(nanos);
    }

    /**
     * The differences of some ranks and layers, as narrow as they allow.
     *
     * @param most the width that all layers need
     */
    private Counters packed(Snapshot snapshot, int from, int to, int layer, int count, int most) {
        int slotsOfRow = width(snapshot);
        int each = count * slotsOfRow;
        int width = most;
        if (width != Counters.SHORT) {
            long bits = 0;
            for (int row = from; row < to; row++) {
                bits |= Growth.bits(
                        snapshot.load(),
                        at(snapshot, row) + layer * slotsOfRow,
                        base(snapshot, row).load,
                        layer * slotsOfRow,
                        each);
            }
            width = Counters.width(bits);
        }
        byte[] bytes = new byte[(to - from) * each * width];
        for (int row = from; row < to; row++) {
            Growth.pack(
                    snapshot.load(),
                    at(snapshot, row) + layer * slotsOfRow,
                    base(snapshot, row).load,
                    layer * slotsOfRow,
                    each,
                    width,
                    bytes,
                    (row - from) * each * width);
        }
        return Counters.view(bytes, 0, (to - from) * each, width);
    }
}
