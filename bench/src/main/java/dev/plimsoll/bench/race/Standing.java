package dev.plimsoll.bench.race;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What one contestant has shown over the rounds of one configuration. Threads: one. */
final class Standing {
    private static final double MILLION = 1e6;

    private final Map<Measure, List<Double>> values = new EnumMap<>(Measure.class);
    private final List<Double> compiler = new ArrayList<>();
    private final List<Double> collector = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();
    private long windows;
    private int rounds;

    /** @param inputBytes of the samples topic on disk */
    void add(CatchUp.Result result, RaceShape shape, long inputBytes) {
        rounds++;
        double millions = result.samples() / MILLION;
        put(Measure.RECORDS_PER_SECOND, result.samples() / result.seconds());
        put(Measure.CPU_PER_MILLION, result.used().cpuNanos() / 1e9 / millions);
        put(Measure.WARM_CPU_PER_MILLION, result.warm().cpuNanos() / 1e9 / (result.warmSamples() / MILLION));
        compiler.add(result.used().compilerNanos() / 1e9 / millions);
        collector.add(result.used().collectorNanos() / 1e9 / millions);
        put(Measure.WHOLE_CPU, result.whole().cpuNanos() / 1e9);
        put(Measure.START, result.startSeconds());
        put(Measure.ALLOCATION, (double) result.used().allocated() / result.samples());
        put(Measure.BROKER_IN, (double) result.whole().sent() / inputBytes);
        put(Measure.BROKER_OUT, (double) result.whole().received() / inputBytes);
        put(Measure.BROKER_CPU, result.brokerCpuSeconds() / (shape.samples() / MILLION));
        windows += shape.windows() * shape.partitions();
        faults.addAll(result.faults());
    }

    void add(Paced.Result result) {
        put(Measure.LATENCY_P50, result.p50Millis());
        put(Measure.LATENCY_P99, result.p99Millis());
        put(Measure.RESTART, result.restartMillis().orElse(Double.NaN));
        windows += result.windows();
        faults.addAll(result.faults());
    }

    private void put(Measure measure, double value) {
        values.computeIfAbsent(measure, m -> new ArrayList<>()).add(value);
    }

    Spread of(Measure measure) {
        return Spread.of(values.getOrDefault(measure, List.of()));
    }

    /** What of the CPU seconds per million samples the JVM's compilers had. */
    Spread compiler() {
        return Spread.of(compiler);
    }

    /** What of them its garbage collector had. */
    Spread collector() {
        return Spread.of(collector);
    }

    /** Rounds of catching up. */
    int rounds() {
        return rounds;
    }

    /** How many windows were held against the exact sums. */
    long windows() {
        return windows;
    }

    List<String> faults() {
        return List.copyOf(faults);
    }
}
