package dev.plimsoll.replay.score;

import java.util.Arrays;

/** Quantiles between whose neighbours a straight line is drawn, as NumPy's {@code percentile} does: what peers' scores are. */
public final class Quantile {
    private Quantile() {}

    /** @return NaN of no values */
    public static double of(double[] values, double share) {
        if (values.length == 0) {
            return Double.NaN;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double at = share * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
