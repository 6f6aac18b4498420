package dev.plimsoll.bench;

import dev.plimsoll.aggregator.window.Fold;
import dev.plimsoll.aggregator.window.FoldListener;
import dev.plimsoll.aggregator.window.WindowSettings;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How near the fold is to the memory's speed: time per sample, of a window of 64 ranks on 8 nodes, 58 layers × 9 slots, that is of 4,176
 * counters.
 *
 * <p>{@code memory} is the measure: as many longs added to as many longs, in the plainest loop there is. {@code decodeAndAdd} reads records
 * and folds them, with all that this takes (header, bounds, checksums, coverage, conservation), up to the last of the window;
 * {@code window} closes it and writes its records, too.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class FoldBenchmark {
    private static final int RANKS = 64;
    private static final int NODES = 8;
    private static final int LAYERS = 58;
    private static final int SLOTS = 9;
    private static final int BOUNDARIES = 64;
    private static final int SAMPLES = NODES * BOUNDARIES;
    private static final int COUNTERS = RANKS / NODES * LAYERS * SLOTS;
    private static final int STEPS = 16;

    /** Bytes of a counter: what most traffic needs, what large batches need, and what nothing should. */
    @Param({"2", "4", "8"})
    int width;

    private final Membership members = members();
    private byte[][] records = {};
    private long[][] values = {};
    private final long[] sums = new long[NODES * COUNTERS];

    private static Membership members() {
        return new Membership(
                new Deployment("bench/decode-0"),
                1,
                ModelShape.of("bench", 512, 8, 0, LAYERS),
                new Topology(
                        IntStream.range(0, RANKS)
                                .mapToObj(rank -> rank / (RANKS / NODES))
                                .toList(),
                        SLOTS),
                "bench",
                Phase.DECODE,
                GatherMode.HOST,
                STEPS,
                STEPS * BOUNDARIES,
                1 << 20,
                1 << 24);
    }

    @Setup
    public void samples() {
        Random random = new Random(7);
        long scale = width == Counters.SHORT ? 1 : width == Counters.INT ? 1 << 14 : 1L << 22;
        values = new long[SAMPLES][COUNTERS];
        records = new byte[SAMPLES][];
        for (int i = 0; i < SAMPLES; i++) {
            long[] routed = new long[LAYERS];
            for (int counter = 0; counter < COUNTERS; counter++) {
                values[i][counter] = scale * (long) (20 * Math.exp(random.nextGaussian()));
                routed[counter / SLOTS % LAYERS] += values[i][counter];
            }
            long from = (long) i / NODES * STEPS;
            records[i] = Topic.SAMPLES.encode(new LoadSample(
                    members.deployment(),
                    members.incarnation(),
                    new StepRange(from, from + STEPS),
                    Phase.DECODE,
                    "node-" + i % NODES,
                    i % NODES * (RANKS / NODES),
                    RANKS / NODES,
                    0,
                    LAYERS,
                    SLOTS,
                    PlacementState.settled(0),
                    false,
                    LongVector.of(routed),
                    LongVector.of(random.longs(RANKS / NODES, 600_000_000, 700_000_000)
                            .toArray()),
                    LongVector.of(new long[RANKS / NODES]),
                    Counters.of(values[i])));
        }
    }

    @Benchmark
    @OperationsPerInvocation(SAMPLES)
    public long[] memory() {
        for (int i = 0; i < SAMPLES; i++) {
            add(values[i], sums, i % NODES * COUNTERS);
        }
        return sums;
    }

    private static void add(long[] values, long[] sums, int at) {
        for (int i = 0; i < values.length; i++) {
            sums[at + i] += values[i];
        }
    }

    @Benchmark
    @OperationsPerInvocation(SAMPLES)
    public Fold decodeAndAdd() throws WireException {
        Fold fold = begun();
        for (int i = 0; i < SAMPLES - 1; i++) {
            fold.fold(i + 1, 1_000 + i, Topic.SAMPLES.decode(records[i]));
        }
        return fold;
    }

    /** Returns the bytes of the window's records. */
    @Benchmark
    @OperationsPerInvocation(SAMPLES)
    public long window() throws WireException {
        Fold fold = decodeAndAdd();
        long bytes = 0;
        for (var window : fold.fold(SAMPLES, 2_000, Topic.SAMPLES.decode(records[SAMPLES - 1]))
                .orElseThrow()
                .windows()) {
            for (var load : window.loads()) {
                bytes += Topic.WINDOWS.encode(load).length;
            }
        }
        return bytes;
    }

    private Fold begun() {
        Fold fold = Fold.empty(0, WindowSettings.DEFAULT, FoldListener.NONE);
        fold.fold(0, 1_000, members);
        return fold;
    }
}
