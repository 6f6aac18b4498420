package dev.plimsoll.planner.placement;

import java.util.Arrays;
import java.util.List;

/**
 * What the next window is expected to bring: the decayed mean of the windows so far.
 *
 * <p>The newest window weighs 1, the one before {@code decay}, then {@code decay²}… The mean is over tokens, not shares, so a
 * window with little traffic says little. A plan that fits the newest window alone is worth less than one that fits what windows
 * have in common, because the next one differs.
 */
public final class Forecast {
    private Forecast() {}

    /**
     * @param windows oldest first, at least one
     * @param decay in (0, 1]: 1 weighs all windows alike
     * @return {@code [layer][expert]} tokens
     */
    public static double[][] of(List<ExpertLoad> windows, double decay) {
        if (windows.isEmpty() || !(decay > 0 && decay <= 1)) {
            throw new IllegalArgumentException(
                    "a forecast needs at least one window and a decay in (0, 1]: " + windows.size() + ", " + decay);
        }
        double[][] sum = windows.get(0).toDoubles();
        for (double[] layer : sum) {
            Arrays.fill(layer, 0);
        }
        double weights = 0;
        for (ExpertLoad window : windows) {
            double[][] load = window.toDoubles();
            weights = weights * decay + 1;
            for (int layer = 0; layer < sum.length; layer++) {
                for (int expert = 0; expert < load[layer].length; expert++) {
                    sum[layer][expert] = sum[layer][expert] * decay + load[layer][expert];
                }
            }
        }
        for (double[] layer : sum) {
            for (int expert = 0; expert < layer.length; expert++) {
                layer[expert] /= weights;
            }
        }
        return sum;
    }
}
