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
 * <p>A rank's sample covers all steps since its last valid snapshot, so a marker or a missed snapshot loses no counts. Ranks of
 * equal steps and state share a sample; a sample is cut by layers so that its record stays below 256 KB. One incarnation, one
 * thread; equal snapshots give equal samples.
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

    private record Part(StepRange steps, PlacementState state, boolean mixed) {}

    private final Membership members;
    private final String emitter;
    private final boolean first;
    private final CollectorListener listener;
    private final int ranks;
    private final int layers;
    private final int slots;
    private final @Nullable Baseline[] baselines;
    private long lastStep = -1;
    private long lastSequence;

    /**
     * @param first whether no collector served this incarnation before: then its first snapshot is the difference from zero, and
     *     nothing can have been flipped before it, for decisions come from samples. Else it only tells where to count from, for
     *     what lies before is published already
     */
    SampleAssembler(Membership members, String emitter, boolean first, CollectorListener listener) {
        this.members = members;
        this.emitter = emitter;
        this.first = first;
        this.listener = listener;
        ranks = members.topology().ranks();
        layers = members.shape().layers();
        slots = members.topology().slotsPerRank();
        baselines = new Baseline[ranks];
    }

    /** Another ring is read from now on: its sequence numbers are its own, its counters are the same. */
    void ringChanged() {
        lastSequence = 0;
    }

    /** The samples that a snapshot completes: ranks ascending, layers ascending. Snapshots that are not newer give none. */
    List<LoadSample> add(Snapshot snapshot) {
        if (snapshot.step() <= lastStep) {
            lastSequence = snapshot.sequence();
            return List.of();
        }
        if (lastSequence > 0 && snapshot.sequence() > lastSequence + 1) {
            listener.onMissed(snapshot.sequence() - lastSequence - 1);
        }
        lastSequence = snapshot.sequence();
        if (lastStep < 0) {
            begin(snapshot);
        }
        lastStep = snapshot.step();

        long[] load = new long[snapshot.load().length];
        long[] routed = new long[snapshot.routed().length];
        @Nullable Part[] parts = new Part[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            parts[rank] = advance(rank, snapshot, load, routed);
        }
        return samples(parts, load, routed);
    }

    private void begin(Snapshot snapshot) {
        for (int rank = 0; rank < ranks; rank++) {
            PlacementState state = state(snapshot.votes()[rank]);
            if (first) {
                baselines[rank] = new Baseline(0, state, new long[layers * slots], new long[layers]);
                baselines[rank].next = state;
            }
        }
        if (!first) {
            listener.onStartedUnderWay(snapshot.step());
        }
    }

    /** Fills in the differences of a rank and moves its baseline; null where there is no sample of it. */
    private @Nullable Part advance(int rank, Snapshot snapshot, long[] load, long[] routed) {
        PlacementState state = state(snapshot.votes()[rank]);
        long step = snapshot.step();
        Baseline base = baselines[rank];
        boolean singleInterval = base != null && step == base.step + members.boundarySteps();
        if (base != null && singleInterval) {
            base.next = state;
        }
        if (!snapshot.valid()[rank]) {
            return null;
        }
        int loadAt = rank * layers * slots;
        int routedAt = rank * layers;
        boolean grew = base != null
                && difference(snapshot.load(), loadAt, base.load, load)
                && difference(snapshot.routed(), routedAt, base.routed, routed);
        Part part = null;
        if (base != null && !grew) {
            listener.onReset(rank, step);
        } else if (base != null && step > base.step) {
            // Where the first boundary's votes were missed, the state before it is the safe guess: at worst a sample is
            // set
            // aside as mixed although the flip stood right at its start.
            PlacementState start = base.next == null ? base.state : base.next;
            part = new Part(new StepRange(base.step, step), state, !singleInterval && !start.equals(state));
        }
        if (step > 0 || base == null) {
            baselines[rank] = new Baseline(
                    step,
                    state,
                    Arrays.copyOfRange(snapshot.load(), loadAt, loadAt + layers * slots),
                    Arrays.copyOfRange(snapshot.routed(), routedAt, routedAt + layers));
        }
        return part;
    }

    private static boolean difference(long[] now, int at, long[] before, long[] into) {
        for (int i = 0; i < before.length; i++) {
            long difference = now[at + i] - before[i];
            if (difference < 0) {
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

    private List<LoadSample> samples(@Nullable Part[] parts, long[] load, long[] routed) {
        List<LoadSample> samples = new ArrayList<>();
        for (int from = 0; from < ranks; ) {
            Part part = parts[from];
            int to = from + 1;
            while (to < ranks && part != null && part.equals(parts[to])) {
                to++;
            }
            if (part != null) {
                long[] total = to - from == ranks ? total(routed) : new long[0];
                cut(part, from, to, load, total, samples);
            }
            from = to;
        }
        return samples;
    }

    /** Over all ranks; only where all counted the same steps does it say something of the load. */
    private long[] total(long[] routed) {
        long[] total = new long[layers];
        for (int i = 0; i < routed.length; i++) {
            total[i % layers] += routed[i];
        }
        return total;
    }

    private void cut(Part part, int from, int to, long[] load, long[] routed, List<LoadSample> samples) {
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
                    from,
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
