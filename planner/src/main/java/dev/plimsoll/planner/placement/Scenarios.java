package dev.plimsoll.planner.placement;

/**
 * Loads that the next window may bring to a layer, equally likely: the forecast with its error added in {@value #COUNT} ways.
 *
 * <p>Flat arrays, {@code [expert · COUNT + scenario]}, in units of the mean rank load: every scenario adds up to the number of
 * ranks, so that 1 is a perfectly loaded rank. Not to be written to.
 *
 * @param load {@code [expert · COUNT + scenario]}
 * @param share {@code [expert]}, what is expected of each
 * @param noise variance of a rank's load, in units of mean², that the scenarios leave out because it has no pattern
 */
record Scenarios(double[] load, double[] share, int ranks, double noise) {
    /** Scenarios per layer; a power of two, one more than there are directions. */
    static final int COUNT = 8;
    /** An expert's load in a scenario is at most this many times what is expected of it. */
    private static final double MOST_RISE = 3;

    /**
     * The forecast plus every row of signs of a Hadamard matrix times the directions: so the mean over scenarios is the forecast
     * and their covariance the sum over directions, exactly, with only one scenario more than directions; before loads below 0 or above
     * {@value #MOST_RISE} times what is expected are cut off and scenarios are scaled to equal sums.
     *
     * @param directions {@code [direction][expert]}, at most {@code COUNT - 1}, each scaled by its standard deviation
     */
    static Scenarios of(double[] share, double[][] directions, int ranks, double noise) {
        int experts = share.length;
        double[] load = new double[experts * COUNT];
        double[] sum = new double[COUNT];
        for (int expert = 0; expert < experts; expert++) {
            int at = expert * COUNT;
            load[at] = share[expert];
            for (int d = 0; d < directions.length; d++) {
                load[at + d + 1] = directions[d][expert];
            }
            transform(load, at);
            double most = MOST_RISE * share[expert];
            for (int k = 0; k < COUNT; k++) {
                load[at + k] = Math.max(0, Math.min(load[at + k], most));
                sum[k] += load[at + k];
            }
        }
        for (int i = 0; i < load.length; i++) {
            // A scenario that is cut off at 0 everywhere says nothing: what is expected stands in for it.
            load[i] = (sum[i % COUNT] > 0 ? load[i] / sum[i % COUNT] : share[i / COUNT]) * ranks;
        }
        return new Scenarios(load, share, ranks, noise);
    }

    /** The fast Walsh-Hadamard transform of {@link #COUNT} values, in place: every row of signs times the values. */
    private static void transform(double[] values, int at) {
        for (int half = 1; half < COUNT; half *= 2) {
            for (int block = at; block < at + COUNT; block += 2 * half) {
                for (int i = block; i < block + half; i++) {
                    double a = values[i];
                    double b = values[i + half];
                    values[i] = a + b;
                    values[i + half] = a - b;
                }
            }
        }
    }

    int experts() {
        return share.length;
    }

    /** Load of every expert, {@code [expert]}, averaged over scenarios. */
    double[] mean() {
        double[] mean = new double[experts()];
        for (int expert = 0; expert < mean.length; expert++) {
            double sum = 0;
            for (int k = 0; k < COUNT; k++) {
                sum += load[expert * COUNT + k];
            }
            mean[expert] = sum / COUNT;
        }
        return mean;
    }
}
