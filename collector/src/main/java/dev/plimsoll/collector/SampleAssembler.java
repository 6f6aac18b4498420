package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.Counters;
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

    /** What one rank counted up to its last valid snapshot. */
    private static final class Baseline {
        final long step;
        /** Of the steps up to {@link #step}. */
        final PlacementState state;
        /** Of the first boundary interval after {@link #step}, where that boundary's votes were seen. */
        @Nullable
        PlacementState next;

        final long[] load;
        final long[] routed;

        Baseline(long step, PlacementState state, long[] load, long[] routed) {
            this.step = step;
            this.state = state;
            this.load = load;
            this.routed = routed;
        }
    }

    private record Part(StepRange steps, PlacementState state, boolean mixed, boolean routedKnown) {}

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

    /** Of the counters of the largest sample that this membership can bring, in memory. */
    static long mostBytes(Membership members) {
        long counters = (long) members.topology().slots() * members.shape().layers();
        long most = Math.min(MOST_RECORD_BYTES / Integer.BYTES, counters);
        return Long.BYTES * Math.max(most, members.topology().slots());
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
        Baseline baseline = new Baseline(counts.step(), counts.state(), counts.load(), counts.routed());
        baseline.next = counts.next().orElse(null);
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

    /** What a successor needs in order to go on, ranks ascending. */
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

    /**
     * The samples that a snapshot of the ring of {@code of} completes: ranks ascending, layers ascending. All or nothing: when it
     * throws, for a snapshot that cannot be, the next one covers these steps too.
     */
    List<LoadSample> add(int of, Snapshot snapshot) {
        long step = snapshot.step();
        if (step < 0 || step % members.boundarySteps() != 0) {
            throw new IllegalStateException("the ring of rank " + of + " of " + members.deployment()
                    + " has a snapshot of step " + step + ", which is no boundary: they come every "
                    + members.boundarySteps() + " steps");
        }
        int first = snapshot.firstRank();
        int count = snapshot.votes().length;
        long[] load = new long[snapshot.load().length];
        long[] routed = new long[snapshot.routed().length];
        @Nullable Part[] parts = new Part[count];
        @Nullable Baseline[] fresh = new Baseline[count];
        for (int row = 0; row < count; row++) {
            if (own[first + row] && (snapshot.gathered() || first + row == of)) {
                PlacementState state = state(snapshot.votes()[row]);
                fresh[row] = reached(first + row, row, snapshot, state);
                if (fresh[row] != null) {
                    parts[row] = part(first + row, row, snapshot, state, load, routed);
                }
            }
        }
        List<LoadSample> samples = samples(first, parts, load, routed);
        for (int row = 0; row < count; row++) {
            Baseline reached = fresh[row];
            if (reached != null) {
                restarted[first + row] = false;
                baselines[first + row] = reached;
                covered[first + row] = Math.max(covered[first + row], step);
                moved = true;
            }
        }
        return samples;
    }

    /** What the rank has counted now; null where the snapshot brings nothing new of it. */
    private @Nullable Baseline reached(int rank, int row, Snapshot snapshot, PlacementState state) {
        Baseline base = baselines[rank];
        if (base == null && fromZero) {
            base = new Baseline(
                    0, INITIAL, new long[layers * slots], new long[snapshot.routed().length == 0 ? 0 : layers]);
            baselines[rank] = base;
        }
        if (base != null && !restarted[rank] && isNext(base, snapshot)) {
            base.next = state;
        }
        if (!snapshot.valid()[row] || (base != null && snapshot.step() <= base.step && !restarted[rank])) {
            return null;
        }
        int at = row * layers * slots;
        return new Baseline(
                snapshot.step(),
                state,
                Arrays.copyOfRange(snapshot.load(), at, at + layers * slots),
                snapshot.routed().length == 0
                        ? new long[0]
                        : Arrays.copyOfRange(snapshot.routed(), row * layers, (row + 1) * layers));
    }

    private boolean isNext(Baseline base, Snapshot snapshot) {
        return snapshot.step() == base.step + members.boundarySteps();
    }

    /** Fills in the differences of a rank; null where they are no sample. */
    private @Nullable Part part(
            int rank, int row, Snapshot snapshot, PlacementState state, long[] load, long[] routed) {
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
        boolean routedKnown = routed.length > 0 && base.routed.length > 0;
        boolean grew = difference(snapshot.load(), row * layers * slots, base.load, load)
                && (!routedKnown || difference(snapshot.routed(), row * layers, base.routed, routed));
        if (!grew) {
            listener.onReset(rank, step);
            return null;
        }
        if (base.step < covered[rank]) {
            return null;
        }
        // Where the first boundary's votes were missed, the state before it is the safe guess: at worst a sample is
        // set aside as mixed although the flip stood right at its start.
        PlacementState start = base.next == null ? base.state : base.next;
        boolean mixed = !isNext(base, snapshot) && !start.equals(state);
        return new Part(new StepRange(base.step, step), state, mixed, routedKnown);
    }

    /** False when a counter went down, or grew by more than a sample can say. Counters are taken as unsigned: exact beyond 2^63. */
    private static boolean difference(long[] now, int at, long[] before, long[] into) {
        for (int i = 0; i < before.length; i++) {
            long difference = now[at + i] - before[i];
            if (Long.compareUnsigned(now[at + i], before[i]) < 0 || difference < 0) {
                return false;
            }
            into[at + i] = difference;
        }
        return true;
    }

    private static PlacementState state(Vote vote) {
        return vote.batchesFlipped() == 0
                ? PlacementState.settled(vote.settledVersion())
                : new PlacementState(vote.settledVersion(), vote.epoch(), vote.batchesFlipped());
    }

    private List<LoadSample> samples(int first, @Nullable Part[] parts, long[] load, long[] routed) {
        List<LoadSample> samples = new ArrayList<>();
        for (int from = 0; from < parts.length; ) {
            Part part = parts[from];
            int to = from + 1;
            while (to < parts.length && part != null && part.equals(parts[to])) {
                to++;
            }
            if (part != null) {
                long[] total = part.routedKnown() ? total(routed, from, to) : new long[0];
                cut(part, first, from, to, load, total, samples);
            }
            from = to;
        }
        return samples;
    }

    /** Over the ranks of a sample: the fold adds up those of all nodes. Empty when it is too large. */
    private long[] total(long[] routed, int fromRow, int toRow) {
        long[] total = new long[layers];
        for (int i = fromRow * layers; i < toRow * layers; i++) {
            total[i % layers] += routed[i];
            if (total[i % layers] < 0) {
                return new long[0];
            }
        }
        return total;
    }

    private void cut(Part part, int first, int from, int to, long[] load, long[] routed, List<LoadSample> samples) {
        int perLayer = (to - from) * slots;
        int bytesPerLayer = perLayer * (fitsInt(load, from, to) ? Integer.BYTES : Long.BYTES) + Long.BYTES;
        int most = Math.max(1, (MOST_RECORD_BYTES - RECORD_OVERHEAD) / bytesPerLayer);
        for (int layer = 0; layer < layers; layer += most) {
            int count = Math.min(most, layers - layer);
            long[] values = new long[perLayer * count];
            for (int rank = from; rank < to; rank++) {
                System.arraycopy(
                        load, (rank * layers + layer) * slots, values, (rank - from) * count * slots, count * slots);
            }
            samples.add(new LoadSample(
                    members.deployment(),
                    members.incarnation(),
                    part.steps(),
                    members.phase(),
                    emitter,
                    first + from,
                    to - from,
                    layer,
                    count,
                    slots,
                    part.state(),
                    part.mixed(),
                    routed.length == 0
                            ? LongVector.empty()
                            : LongVector.of(Arrays.copyOfRange(routed, layer, layer + count)),
                    Counters.of(values)));
        }
    }

    private boolean fitsInt(long[] load, int fromRank, int toRank) {
        for (int i = fromRank * layers * slots; i < toRank * layers * slots; i++) {
            if (load[i] > Integer.MAX_VALUE) {
                return false;
            }
        }
        return true;
    }
}
