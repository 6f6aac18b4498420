package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes samples of snapshots: differences of each rank's absolute counters, with the steps and the placement state that they were
 * counted under.
 *
 * <p>A rank's sample covers all steps since its last valid snapshot, so a marker or a missed snapshot loses no counts; and what a
 * snapshot says of steps that a rank's samples cover already is left out, so snapshots may come from any number of rings in any
 * order. Ranks of equal steps and state share a sample; a sample is cut by layers so that its record stays below 256 KB. One
 * incarnation, one thread; equal snapshots give equal samples.
 */
final class SampleAssembler {
    private static final int MOST_RECORD_BYTES = 256 * 1024;
    /** Names, frame, layout and vectors' lengths. */
    private static final int RECORD_OVERHEAD = 2_048;

    /** What one rank counted up to its last valid snapshot. */
    private static final class Baseline {
        long step;
        /** Of the steps up to {@link #step}. */
        PlacementState state;
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
    private final int ranks;
    private final int layers;
    private final int slots;
    private final @Nullable Baseline[] baselines;
    /** {@code [rank]}: samples up to this step are out, or its counting began here. */
    private final long[] covered;
    /** {@code [rank]}: its next snapshot is another process's, whose counters and steps may begin anywhere. */
    private final boolean[] restarted;

    private boolean fromZero;
    private boolean begun;

    /**
     * @param first whether no collector served this incarnation before: then its first snapshot is the difference from zero, and
     *     nothing can have been flipped before it, for decisions come from samples. Else it only tells where to count from, for
     *     what lies before is published already
     */
    SampleAssembler(Membership members, String emitter, boolean first, CollectorListener listener) {
        this.members = members;
        this.emitter = emitter;
        fromZero = first;
        this.listener = listener;
        ranks = members.topology().ranks();
        layers = members.shape().layers();
        slots = members.topology().slotsPerRank();
        baselines = new Baseline[ranks];
        covered = new long[ranks];
        restarted = new boolean[ranks];
    }

    /** Another process counts for this rank from its next snapshot on. */
    void restarted(int rank) {
        restarted[rank] = true;
    }

    /** Frees the counters: no process that was seen so far will publish again. What comes nevertheless begins anew. */
    void rest() {
        Arrays.fill(baselines, null);
        fromZero = false;
    }

    /** The samples that a snapshot of the ring of {@code own} completes: ranks ascending, layers ascending. */
    List<LoadSample> add(int own, Snapshot snapshot) {
        if (!begun) {
            begun = true;
            if (!fromZero) {
                listener.onStartedUnderWay(snapshot.step());
            }
        }
        int first = snapshot.firstRank();
        int count = snapshot.votes().length;
        long[] load = new long[snapshot.load().length];
        long[] routed = new long[snapshot.routed().length];
        @Nullable Part[] parts = new Part[count];
        for (int row = 0; row < count; row++) {
            if (snapshot.gathered() || first + row == own) {
                parts[row] = advance(first + row, row, snapshot, load, routed);
            }
        }
        return samples(first, parts, load, routed);
    }

    /** Fills in the differences of a rank and moves its baseline; null where there is no sample of it. */
    private @Nullable Part advance(int rank, int row, Snapshot snapshot, long[] load, long[] routed) {
        PlacementState state = state(snapshot.votes()[row]);
        long step = snapshot.step();
        Baseline base = baselines[rank];
        if (base == null && fromZero) {
            base = new Baseline(
                    0, state, new long[layers * slots], new long[snapshot.routed().length == 0 ? 0 : layers]);
            base.next = state;
            baselines[rank] = base;
        }
        boolean singleInterval = base != null && step == base.step + members.boundarySteps();
        if (base != null && singleInterval && !restarted[rank]) {
            base.next = state;
        }
        if (!snapshot.valid()[row] || (base != null && step <= base.step && !restarted[rank])) {
            return null;
        }
        int loadAt = row * layers * slots;
        // Not known before or not known now: then there is no difference, and none that went down.
        boolean routedKnown = routed.length > 0 && base != null && base.routed.length > 0;
        Part part = null;
        if (restarted[rank]) {
            listener.onReset(rank, step);
        } else if (base != null
                && !(difference(snapshot.load(), loadAt, base.load, load)
                        && (!routedKnown || difference(snapshot.routed(), row * layers, base.routed, routed)))) {
            listener.onReset(rank, step);
        } else if (base != null && base.step >= covered[rank]) {
            // Where the first boundary's votes were missed, the state before it is the safe guess: at worst a sample is
            // set aside as mixed although the flip stood right at its start.
            PlacementState start = base.next == null ? base.state : base.next;
            boolean mixed = !singleInterval && !start.equals(state);
            part = new Part(new StepRange(base.step, step), state, mixed, routedKnown);
        }
        restarted[rank] = false;
        baselines[rank] = new Baseline(
                step,
                state,
                Arrays.copyOfRange(snapshot.load(), loadAt, loadAt + layers * slots),
                routed.length == 0
                        ? new long[0]
                        : Arrays.copyOfRange(snapshot.routed(), row * layers, (row + 1) * layers));
        covered[rank] = Math.max(covered[rank], step);
        return part;
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
                long[] total = part.routedKnown() && to - from == ranks ? total(routed) : new long[0];
                cut(part, first, from, to, load, total, samples);
            }
            from = to;
        }
        return samples;
    }

    /** Over all ranks; only where all counted the same steps does it say something of the load. Empty when it is too large. */
    private long[] total(long[] routed) {
        long[] total = new long[layers];
        for (int i = 0; i < routed.length; i++) {
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
                    LongVector.of(values)));
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
