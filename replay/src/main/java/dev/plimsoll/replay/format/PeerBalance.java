package dev.plimsoll.replay.format;

import dev.plimsoll.model.Balance;
import java.util.OptionalDouble;

/**
 * Balancedness of loads under a map, and beside it the numbers that other projects say it in, so that theirs can be compared. Over
 * layers that have load; an expert's tokens divide evenly over its replicas.
 *
 * @param balancedness mean over layers of mean ÷ max, as everywhere here
 * @param par mean over layers of max ÷ mean, as vllm-ascend says it; TensorRT-LLM's ratio is one less
 * @param summed sum over layers of the mean ÷ sum over layers of the max, as vLLM says it
 */
public record PeerBalance(double balancedness, double par, double summed) {
    /** TensorRT-LLM's load imbalance ratio, (max − mean) ÷ mean. */
    public double imbalanceRatio() {
        return par - 1;
    }

    /** @param load {@code [layer][expert]} */
    public static PeerBalance of(long[][] load, ExpertMap map) {
        double[][] ranks = new double[load.length][map.ranks()];
        for (int layer = 0; layer < load.length; layer++) {
            int[] replicas = new int[load[layer].length];
            for (int expert : map.layer(layer)) {
                replicas[expert]++;
            }
            for (int rank = 0; rank < map.ranks(); rank++) {
                for (int expert : map.rank(layer, rank)) {
                    ranks[layer][rank] += (double) load[layer][expert] / replicas[expert];
                }
            }
        }
        return over(ranks);
    }

    /** What each slot got, by the engine's own choice of replicas. @param counts {@code [layer][slot]}, as many on every rank */
    public static PeerBalance ofSlots(long[][] counts, int ranks) {
        double[][] loads = new double[counts.length][ranks];
        for (int layer = 0; layer < counts.length; layer++) {
            int each = counts[layer].length / ranks;
            for (int slot = 0; slot < counts[layer].length; slot++) {
                loads[layer][slot / each] += counts[layer][slot];
            }
        }
        return over(loads);
    }

    private static PeerBalance over(double[][] loadOfRank) {
        OptionalDouble[] balancedness = new OptionalDouble[loadOfRank.length];
        double inverse = 0;
        double means = 0;
        double most = 0;
        for (int layer = 0; layer < loadOfRank.length; layer++) {
            balancedness[layer] = Balance.ofLayer(loadOfRank[layer]);
            double sum = 0;
            double max = 0;
            for (double load : loadOfRank[layer]) {
                sum += load;
                max = Math.max(max, load);
            }
            if (sum > 0) {
                double mean = sum / loadOfRank[layer].length;
                inverse += max / mean;
                means += mean;
                most += max;
            }
        }
        Balance balance = Balance.over(balancedness);
        return new PeerBalance(balance.mean(), inverse / balance.layers(), means / most);
    }
}
