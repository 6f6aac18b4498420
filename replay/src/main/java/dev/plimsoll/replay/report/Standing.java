package dev.plimsoll.replay.report;

import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;

/**
 * How one policy did, against the run that it is compared with.
 *
 * @param label its name, with the configuration where there are several
 * @param live whether it is what really happened
 * @param baseline position of what it is compared with in {@link Standings#all()}, -1 where nothing can be compared; its own where
 *     others are compared with it
 * @param relative load of the busiest ranks ÷ that of the baseline, over the windows that both served; NaN without baseline
 * @param compared windows that both served
 * @param mean balancedness, mean over windows
 * @param worst the least mean balancedness of a window
 * @param worstWindow index of that window, -1 where no window has load
 * @param worstLayer the least balancedness of a layer in any window
 * @param served windows that it served and that had load
 * @param best windows in which no run of as many ranks was more even; several share one
 * @param promised mean of predicted less measured balancedness over decisions that were measured: above 0 it promised too much; NaN
 *     where none was
 * @param onFront whether no other run has both higher balancedness and fewer moves
 */
record Standing(
        PolicyRun run,
        String label,
        boolean live,
        int baseline,
        double relative,
        int compared,
        double mean,
        double worst,
        long worstWindow,
        double worstLayer,
        int served,
        int best,
        double promised,
        boolean onFront) {

    static boolean loaded(ServedWindow window) {
        return Double.isFinite(window.mean());
    }

    /** As {@link #promised}. */
    static double promised(PolicyRun run) {
        return run.decisions().stream()
                .filter(decision -> Double.isFinite(decision.predicted()) && Double.isFinite(decision.measured()))
                .mapToDouble(Standing::excess)
                .average()
                .orElse(Double.NaN);
    }

    private static double excess(MadeDecision decision) {
        return decision.predicted() - decision.measured();
    }
}
