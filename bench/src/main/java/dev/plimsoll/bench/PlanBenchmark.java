package dev.plimsoll.bench;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Time of one plan of a DeepSeek-V3-like deployment: 58 layers × 256 experts on 32 ranks × 10 slots, log-normal loads. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class PlanBenchmark {
    private static final ModelShape SHAPE = ModelShape.of("deepseek-v3", 256, 8, 3, 58);
    private static final Topology TOPOLOGY = Topology.even(32, 4, 10);

    /** {@code initial}: every layer is out of balance; {@code settled}: planned for the same loads, 2 % of noise since. */
    @Param({"initial", "settled"})
    private String start = "initial";

    private final Policy policy = Policy.named("plimsoll");
    private PlanRequest request = PlanRequest.of(loads(0), Placement.initial(SHAPE, TOPOLOGY), SHAPE, TOPOLOGY);

    @Setup
    public void setUp() {
        Placement settled = Placement.initial(SHAPE, TOPOLOGY);
        if (start.equals("settled")) {
            settled = policy.plan(PlanRequest.of(loads(0), settled, SHAPE, TOPOLOGY))
                    .target();
        }
        request = PlanRequest.of(loads(0.02), settled, SHAPE, TOPOLOGY);
    }

    private static List<ExpertLoad> loads(double noise) {
        Random popularity = new Random(7);
        Random wobble = new Random(11);
        long[][] loads = new long[SHAPE.layers()][SHAPE.experts()];
        for (long[] layer : loads) {
            for (int expert = 0; expert < layer.length; expert++) {
                layer[expert] =
                        Math.round(1000 * Math.exp(0.7 * popularity.nextGaussian() + noise * wobble.nextGaussian()));
            }
        }
        return List.of(ExpertLoad.of(0, loads));
    }

    @Benchmark
    public Plan plan() {
        return policy.plan(request);
    }
}
