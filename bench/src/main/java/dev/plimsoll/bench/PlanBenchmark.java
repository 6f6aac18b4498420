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

/** Time of the plan of one layer, on one thread, with 24 windows of history; over several windows and layers in turn. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class PlanBenchmark {
    private static final int HISTORY = 24;
    private static final int WINDOWS = 36;
    private static final int LAYERS = 4;

    /** Ranks + redundant slots, experts. */
    @Param({"8+8 of 32", "64+64 of 256", "320+64 of 256"})
    private String shape = "64+64 of 256";

    /** {@code initial}: the first plan, everything is out of balance; {@code steady}: each plan goes on from the one before. */
    @Param({"initial", "steady"})
    private String start = "steady";

    @Param("plimsoll")
    private String policy = "plimsoll";

    private record Task(PlanRequest request, int layer) {}

    private final List<Task> tasks = new ArrayList<>();
    private Policy planner = Policy.named(policy);
    private int next;

    @Setup
    public void setUp() {
        String[] numbers = shape.split("\\+| of ", -1);
        int ranks = Integer.parseInt(numbers[0]);
        int experts = Integer.parseInt(numbers[2]);
        int slots = experts + Integer.parseInt(numbers[1]);
        ModelShape model = ModelShape.of("bench", experts, 1, 0, LAYERS);
        Topology topology = Topology.even(ranks, ranks % 8 == 0 ? ranks / 8 : 1, slots / ranks);
        planner = Policy.named(policy);
        tasks.clear();
        next = 0;
        List<ExpertLoad> windows = DriftingLoads.of(WINDOWS, LAYERS, experts, 7);
        Placement settled = Placement.initial(model, topology);
        for (int newest = HISTORY - 1; newest < WINDOWS; newest++) {
            List<ExpertLoad> history = windows.subList(newest + 1 - HISTORY, newest + 1);
            PlanRequest request = PlanRequest.of(history, settled, model, topology);
            Placement planned = planner.plan(request).target().withVersion(settled.version() + 1);
            if (start.equals("initial")) {
                add(request);
            } else {
                // The first of them is still a plan from the initial placement.
                if (newest >= HISTORY) {
                    add(request);
                }
                settled = planned;
            }
        }
    }

    private void add(PlanRequest request) {
        for (int layer = 0; layer < LAYERS; layer++) {
            tasks.add(new Task(request, layer));
        }
    }

    @Benchmark
    public LayerPlan plan() {
        Task task = tasks.get(next);
        next = (next + 1) % tasks.size();
        return planner.plan(task.request(), task.layer());
    }
}
