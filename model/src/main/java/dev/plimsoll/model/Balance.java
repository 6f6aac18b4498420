package dev.plimsoll.model;

import java.util.OptionalDouble;

/**
 * How evenly ranks are loaded: mean rank load ÷ max rank load of a layer, in (0, 1], 1 is perfect; over layers the mean and the
 * minimum. The only definition of balancedness in this project.
 *
 * <p>Layers without load are left out. The inverse (max ÷ mean) is never averaged.
 *
 * @param mean mean over layers with load
 * @param min minimum over layers with load
 * @param worstLayer the first layer that has the minimum
 * @param layers number of layers with load
 */
public record Balance(double mean, double min, int worstLayer, int layers) {
    /** What is reported where no layer has any load. */
    public static final Balance UNLOADED = new Balance(Double.NaN, Double.NaN, -1, 0);

    /** Balancedness of one layer, empty when it has no load. */
    public static OptionalDouble ofLayer(long[] loadOfRank) {
        long max = 0;
        long sum = 0;
        for (long load : loadOfRank) {
            if (load < 0) {
                throw new IllegalArgumentException("a rank's load must not be negative: " + load);
            }
            max = Math.max(max, load);
            sum = Math.addExact(sum, load);
        }
        return sum == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) sum / loadOfRank.length / max);
    }

    /** As {@link #ofLayer(long[])}, for loads that are expected or split and so not whole. */
    public static OptionalDouble ofLayer(double[] loadOfRank) {
        double max = 0;
        double sum = 0;
        for (double load : loadOfRank) {
            if (!(load >= 0) || Double.isInfinite(load)) {
                throw new IllegalArgumentException("a rank's load must be a number that is not negative: " + load);
            }
            max = Math.max(max, load);
            sum += load;
        }
        return sum == 0 ? OptionalDouble.empty() : OptionalDouble.of(Math.min(1, sum / loadOfRank.length / max));
    }

    /** @param balancedness per layer, empty where a layer has no load */
    public static Balance over(OptionalDouble[] balancedness) {
        double sum = 0;
        double min = Double.POSITIVE_INFINITY;
        int worst = -1;
        int layers = 0;
        for (int layer = 0; layer < balancedness.length; layer++) {
            if (balancedness[layer].isEmpty()) {
                continue;
            }
            double value = balancedness[layer].getAsDouble();
            sum += value;
            layers++;
            if (value < min) {
                min = value;
                worst = layer;
            }
        }
        return layers == 0 ? UNLOADED : new Balance(sum / layers, min, worst, layers);
    }

    /** @param loadOfRank {@code [layer][rank]} */
    public static Balance of(long[][] loadOfRank) {
        OptionalDouble[] balancedness = new OptionalDouble[loadOfRank.length];
        for (int layer = 0; layer < loadOfRank.length; layer++) {
            balancedness[layer] = ofLayer(loadOfRank[layer]);
        }
        return over(balancedness);
    }

    public boolean loaded() {
        return layers > 0;
    }
}
