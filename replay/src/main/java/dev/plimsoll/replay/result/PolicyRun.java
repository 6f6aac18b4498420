package dev.plimsoll.replay.result;

import dev.plimsoll.model.MeasuredGain;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one policy, in one configuration, made of the past.
 *
 * @param name as it was asked for, such as {@code plimsoll:minimum-gain=0.05}; {@link #LIVE} for what really happened
 * @param settings every setting that the decisions depend on, by name
 * @param ranks of the configuration
 * @param redundant slots beyond the experts
 * @param nodes of the configuration
 * @param served one for each usable window of the past, in order
 * @param decisions in order
 * @param kept how often the placement was kept, by reason
 * @param planMillis processor time that plans took, over all windows: of this machine, and no part of what must be equal
 * @param placements {@code [layer][slot]} experts that were served at the end of windows of which there is a matrix, by window index;
 *     where a slot was idle, the complement of its expert
 */
public record PolicyRun(
        String name,
        Map<String, String> settings,
        int ranks,
        int redundant,
        int nodes,
        List<ServedWindow> served,
        List<MadeDecision> decisions,
        Map<String, Integer> kept,
        double planMillis,
        Map<Long, int[][]> placements) {
    /** The name of what really happened. */
    public static final String LIVE = "live";

    /**
     * A window as it ran under this policy's placements.
     *
     * @param mean balancedness over layers, NaN without load
     * @param min that of the worst layer, NaN without load
     * @param worstLayer index of it, -1 without load
     * @param hottestLoad load of the busiest rank, summed over layers: what step time follows
     * @param version of the placement at its end
     * @param expertMicros expert time of a step, in microseconds, by the run's device profile; NaN where there is none
     */
    public record ServedWindow(
            long index, double mean, double min, int worstLayer, double hottestLoad, int version, double expertMicros) {
        /** One that nobody knows the time of. */
        public ServedWindow(long index, double mean, double min, int worstLayer, double hottestLoad, int version) {
            this(index, mean, min, worstLayer, hottestLoad, version, Double.NaN);
        }
    }

    /**
     * A decision.
     *
     * @param windowIndex the newest window that it was made from
     * @param epoch its number
     * @param planHash hash of the plan: of where it leads, and of the way there
     * @param moves slots that get another expert
     * @param bytes of weights that they bring to ranks; 0 where an expert's size is not known
     * @param layers how many layers it touches
     * @param before balancedness of the window that it was made from, under the placement before
     * @param predicted balancedness that was promised
     * @param measured balancedness under it, mean over the whole windows until the next decision, NaN where there was none
     * @param without balancedness that the same windows would have had without it, NaN where there was none
     * @param gain {@link dev.plimsoll.model.Gain} in these windows, mean over them; NaN where there was none
     * @param windows how many there were
     * @param reason why it pays, one line
     */
    public record MadeDecision(
            long windowIndex,
            int epoch,
            long planHash,
            int moves,
            long bytes,
            int layers,
            double before,
            double predicted,
            double measured,
            double without,
            double gain,
            int windows,
            String reason) {

        /** The same decision of a window by another count. */
        public MadeDecision ofWindow(long index) {
            return new MadeDecision(
                    index, epoch, planHash, moves, bytes, layers, before, predicted, measured, without, gain, windows,
                    reason);
        }

        /** The same with other bytes. */
        public MadeDecision withBytes(long others) {
            return new MadeDecision(
                    windowIndex,
                    epoch,
                    planHash,
                    moves,
                    others,
                    layers,
                    before,
                    predicted,
                    measured,
                    without,
                    gain,
                    windows,
                    reason);
        }

        /** The same with what came of it; nothing, where the placement before is not known. */
        public MadeDecision withMeasured(Optional<MeasuredGain> found) {
            return found.map(of ->
                            withMeasured(of.balancednessWith(), of.balancednessWithout(), of.gain(), of.windows()))
                    .orElse(this);
        }

        /** The same with what came of it. */
        public MadeDecision withMeasured(double with, double withoutIt, double brought, int inWindows) {
            return new MadeDecision(
                    windowIndex,
                    epoch,
                    planHash,
                    moves,
                    bytes,
                    layers,
                    before,
                    predicted,
                    with,
                    withoutIt,
                    brought,
                    inWindows,
                    reason);
        }
    }

    public PolicyRun {
        settings = Map.copyOf(settings);
        served = List.copyOf(served);
        decisions = List.copyOf(decisions);
        kept = Map.copyOf(kept);
        placements = Map.copyOf(placements);
    }

    /** The same with other decisions. */
    public PolicyRun withDecisions(List<MadeDecision> others) {
        return new PolicyRun(name, settings, ranks, redundant, nodes, served, others, kept, planMillis, placements);
    }

    /** The same without windows, where what was served is not known of them. */
    public PolicyRun withoutServed() {
        return new PolicyRun(name, settings, ranks, redundant, nodes, List.of(), decisions, kept, planMillis, Map.of());
    }

    /** Mean over windows of their mean balancedness, windows without load left out; NaN when none has any. */
    public double meanBalancedness() {
        return served.stream()
                .mapToDouble(ServedWindow::mean)
                .filter(Double::isFinite)
                .average()
                .orElse(Double.NaN);
    }

    /** Mean over windows of the expert time of a step, in microseconds; NaN where no device profile is known. */
    public double meanExpertMicros() {
        return served.stream()
                .mapToDouble(ServedWindow::expertMicros)
                .filter(Double::isFinite)
                .average()
                .orElse(Double.NaN);
    }

    /** Moves of all decisions. */
    public long moves() {
        return decisions.stream().mapToLong(MadeDecision::moves).sum();
    }

    /** Bytes of all decisions. */
    public long bytes() {
        return decisions.stream().mapToLong(MadeDecision::bytes).sum();
    }
}
