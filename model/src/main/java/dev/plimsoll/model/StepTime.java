package dev.plimsoll.model;

import java.util.Locale;

/**
 * How long the steps of one window took on the ranks' dispatch threads. All ranks run the same steps and wait for each other in each,
 * so the slowest rank's time is the group's.
 *
 * @param elapsedNanos {@code [rank]} from boundary to boundary, added up, without stretches where no step ran
 * @param idleNanos {@code [rank]} stretches where no step ran, added up
 * @param boundaries boundary intervals that are in the sums
 * @param lowestDecileNanos the time of one boundary interval, on the slowest rank, that a tenth of the intervals do not exceed: what
 *     steps take when nothing disturbs them
 */
public record StepTime(LongVector elapsedNanos, LongVector idleNanos, int boundaries, long lowestDecileNanos) {
    public StepTime {
        if (elapsedNanos.size() == 0 || elapsedNanos.size() != idleNanos.size() || boundaries < 1) {
            throw new IllegalArgumentException("step time of " + elapsedNanos.size() + " and " + idleNanos.size()
                    + " ranks over " + boundaries + " boundary intervals");
        }
        if (elapsedNanos.anyNegative() || idleNanos.anyNegative() || lowestDecileNanos < 0) {
            throw new IllegalArgumentException("step time must not be negative");
        }
    }

    /** Mean time of a step on the slowest rank, in microseconds, with so many steps from boundary to boundary. */
    public double stepMicros(int boundarySteps) {
        long slowest = 0;
        for (int rank = 0; rank < elapsedNanos.size(); rank++) {
            slowest = Math.max(slowest, elapsedNanos.at(rank));
        }
        return slowest / 1e3 / boundaries / boundarySteps;
    }

    /** Time of a step when nothing disturbs it, in microseconds. */
    public double undisturbedStepMicros(int boundarySteps) {
        return lowestDecileNanos / 1e3 / boundarySteps;
    }

    /** A few words for people. */
    public String summary(int boundarySteps) {
        return String.format(
                Locale.ROOT,
                "step %.3f ms (lowest decile %.3f ms)",
                stepMicros(boundarySteps) / 1e3,
                undisturbedStepMicros(boundarySteps) / 1e3);
    }
}
