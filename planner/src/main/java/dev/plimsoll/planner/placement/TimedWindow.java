package dev.plimsoll.planner.placement;

import dev.plimsoll.model.StepTime;

/**
 * A complete window that ran under one placement, and how long its steps took.
 *
 * @param version of the placement
 * @param tokensPerStep that experts computed, over all layers
 * @param expertMicros expert time of a step, by the device profile
 * @param stepMicros mean time of a step on the slowest rank
 * @param undisturbedMicros time of a step that a tenth of the window's boundary intervals do not exceed
 * @param running share of the slowest rank's time in which steps ran, in [0, 1]
 */
public record TimedWindow(
        int version,
        double tokensPerStep,
        double expertMicros,
        double stepMicros,
        double undisturbedMicros,
        double running) {
    /** Step time as a window's summary has it, with so many steps from boundary to boundary. */
    public static TimedWindow of(
            int version, double tokensPerStep, double expertMicros, StepTime time, int boundarySteps) {
        double ran = 0;
        double idle = 0;
        for (int rank = 0; rank < time.elapsedNanos().size(); rank++) {
            if (time.elapsedNanos().at(rank) >= ran) {
                ran = time.elapsedNanos().at(rank);
                idle = time.idleNanos().at(rank);
            }
        }
        return new TimedWindow(
                version,
                tokensPerStep,
                expertMicros,
                time.stepMicros(boundarySteps),
                time.undisturbedStepMicros(boundarySteps),
                ran == 0 ? 0 : ran / (ran + idle));
    }

    /** How little disturbed its steps were, in [0, 1]: 1 where none took longer than the quickest and ranks never stood idle. */
    double calm() {
        return stepMicros > 0 ? running * Math.min(1, undisturbedMicros / stepMicros) : 0;
    }

    /** Whether a step had about as many tokens as in the other: what else a step takes is about the same then. */
    boolean isLike(TimedWindow other) {
        double most = Math.max(tokensPerStep, other.tokensPerStep);
        return Math.abs(tokensPerStep - other.tokensPerStep) <= Calibration.LIKE * most;
    }
}
