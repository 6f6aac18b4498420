package dev.plimsoll.bench;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Time to write and to read one gathered sample of 32 ranks × 58 layers × 10 slots. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class WireBenchmark {
    private final LoadSample sample = sample();
    private final byte[] bytes = Topic.SAMPLES.encode(sample);

    private static LoadSample sample() {
        Random random = new Random(7);
        return new LoadSample(
                new Deployment("bench/decode-0"),
                1,
                new StepRange(0, 16),
                Phase.DECODE,
                "bench",
                0,
                32,
                0,
                58,
                10,
                PlacementState.settled(1),
                false,
                LongVector.of(random.longs(58, 0, 100_000).toArray()),
                LongVector.of(random.longs(32, 600_000_000, 700_000_000).toArray()),
                LongVector.of(new long[32]),
                Counters.of(random.longs(32 * 58 * 10, 0, 2_000).toArray()));
    }

    @Benchmark
    public byte[] encode() {
        return Topic.SAMPLES.encode(sample);
    }

    @Benchmark
    public SampleRecord decode() throws WireException {
        return Topic.SAMPLES.decode(bytes);
    }
}
