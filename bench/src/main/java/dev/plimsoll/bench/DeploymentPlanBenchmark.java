package dev.plimsoll.bench;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Time of the plan of a whole deployment: 58 layers of 256 experts on 64 ranks with 64 redundant slots, layers side by side. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class DeploymentPlanBenchmark {
    private static final int HISTORY = 24;
    private static final ModelShape SHAPE = ModelShape.of("deepseek-v3", 256, 8, 3, 58);
    private static final Topology TOPOLOGY = Topology.even(64, 8, 5);

    /** {@code initial}: the first plan; {@code steady}: a window after it. */
    @Param({"initial", "steady"})
    private String start = "steady";

    @Param({"1", "2"})
    private int threads = 2;

    private final Policy policy = Policy.named("plimsoll");
    private final List<Callable<LayerPlan>> layers = new ArrayList<>();
    private ExecutorService pool = Executors.newFixedThreadPool(1);

    @Setup
    public void setUp() {
        pool = Executors.newFixedThreadPool(threads);
        List<ExpertLoad> windows = DriftingLoads.of(HISTORY + 1, SHAPE.layers(), SHAPE.experts(), 7);
        Placement initial = Placement.initial(SHAPE, TOPOLOGY);
        PlanRequest request = PlanRequest.of(windows.subList(0, HISTORY), initial, SHAPE, TOPOLOGY);
        if (start.equals("steady")) {
            Placement settled = policy.plan(request).target().withVersion(1);
            request = PlanRequest.of(windows.subList(1, HISTORY + 1), settled, SHAPE, TOPOLOGY);
        }
        layers.clear();
        PlanRequest asked = request;
        for (int i = 0; i < SHAPE.layers(); i++) {
            int layer = i;
            layers.add(() -> policy.plan(asked, layer));
        }
    }

    @TearDown
    public void tearDown() {
        pool.shutdownNow();
    }

    @Benchmark
    public List<Future<LayerPlan>> plan() throws InterruptedException {
        return pool.invokeAll(layers);
    }
}
