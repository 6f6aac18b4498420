package dev.plimsoll.bench.race;

import java.util.Arrays;
import java.util.Collection;

/** Values of one measure over the rounds, those that could not be taken left out. */
record Spread(double[] sorted) {
    static Spread of(Collection<Double> values) {
        return new Spread(values.stream()
                .mapToDouble(Double::doubleValue)
                .filter(Double::isFinite)
                .sorted()
                .toArray());
    }

    /** NaN when there is none. */
    double median() {
        int half = sorted.length / 2;
        return sorted.length == 0
                ? Double.NaN
                : sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    double min() {
        return sorted.length == 0 ? Double.NaN : sorted[0];
    }

    double max() {
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length - 1];
    }

    @Override
    public String toString() {
        return Arrays.toString(sorted);
    }
}
