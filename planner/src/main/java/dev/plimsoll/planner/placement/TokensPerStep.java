package dev.plimsoll.planner.placement;

import java.util.List;

/**
 * How many tokens a step of the next window is expected to have in one layer, and how far off that may be.
 *
 * <p>Load ÷ steps of the windows, in logarithms, as half and double are equally far off; forecast as {@link LoadForecast} forecasts
 * shares. Its errors on past windows and the differences between the newest window's sub-samples are the spread.
 *
 * @param logarithm of what is expected
 * @param deviation of the logarithm
 */
record TokensPerStep(double logarithm, double deviation) {
    private static final int K = Scenarios.COUNT;
    /** A batch size of four times as much, or a quarter, is the most that is planned for besides what is expected. */
    private static final double MOST_DEVIATION = StrictMath.log(4);

    /** Of the newest {@value LoadForecast#WINDOWS} windows with load in the layer; there is one. */
    static TokensPerStep of(List<ExpertLoad> windows, int layer) {
        LoadForecast forecast = LoadForecast.ofLevels(levels(windows, layer));
        double variance = forecast.errorVariance() + varianceOfSamples(windows, layer);
        return new TokensPerStep(forecast.share()[0], Math.min(MOST_DEVIATION, Math.sqrt(variance)));
    }

    private static double[] levels(List<ExpertLoad> windows, int layer) {
        return windows.stream()
                .skip(Math.max(0, windows.size() - LoadForecast.WINDOWS))
                .mapToDouble(window -> perStep(sum(window.layer(layer)), window))
                .filter(tokens -> tokens > 0)
                .map(StrictMath::log1p)
                .toArray();
    }

    private static double varianceOfSamples(List<ExpertLoad> windows, int layer) {
        ExpertLoad newest = windows.get(windows.size() - 1);
        double whole = perStep(sum(newest.layer(layer)), newest);
        double sum = 0;
        for (int sample = 0; sample < newest.samples() && whole > 0; sample++) {
            double tokens = 0;
            for (int expert = 0; expert < newest.experts(); expert++) {
                tokens += newest.at(layer, sample, expert);
            }
            double away = StrictMath.log1p(perStep(tokens * newest.samples(), newest)) - StrictMath.log1p(whole);
            sum += away * away;
        }
        return sum / newest.samples();
    }

    /** A window without load may not know its steps. */
    private static double perStep(double tokens, ExpertLoad window) {
        return tokens == 0 ? 0 : tokens / window.steps();
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }

    double expected() {
        return StrictMath.expm1(logarithm);
    }

    /** Tokens per step in every scenario: half of them above what is expected by the deviation, half below. */
    double[] scenarios() {
        double[] tokens = new double[K];
        for (int k = 0; k < K; k++) {
            // The signs of the weakest of the directions in which shares may be off: least is lost by going along with
            // it.
            double sign = Integer.bitCount(k) % 2 == 0 ? 1 : -1;
            tokens[k] = Math.max(1e-3, StrictMath.expm1(logarithm + sign * deviation));
        }
        return tokens;
    }
}
