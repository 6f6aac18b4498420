package dev.plimsoll.replay.score.time;

import dev.plimsoll.replay.score.Quantile;
import java.util.List;

/** Mean and quantiles of times, in microseconds. */
public record Summary(double mean, double p50, double p99) {
    /** Of some times, at least one. */
    public static Summary of(List<Double> micros) {
        double[] values = micros.stream().mapToDouble(Double::doubleValue).toArray();
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return new Summary(sum / values.length, Quantile.of(values, 0.5), Quantile.of(values, 0.99));
    }
}
