package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Verdict;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * What policy and gate make of a real trace and of generated workloads, window by window: the defaults of
 * {@link PlannerSettings} are tuned here. Skipped, saying so, where the data is not beside the repository.
 */
class PlanningNumbersTest {
    private static final int DELAY = 1;

    /**
     * @param initial measured balancedness of the first window
     * @param settled mean over windows that began at least one window after the latest settlement
     * @param slowest of all plans, in milliseconds
     * @param predicted mean of what decisions promised
     * @param realised mean of the first windows that were run wholly under their placements
     */
    private record Numbers(
            double initial,
            double settled,
            double settledMin,
            int decisions,
            int firstMoves,
            int laterMoves,
            double slowest,
            double predicted,
            double realised) {}

    @Test
    void mixedTraceIsServedAboveTheRequiredBalancedness() {
        List<ExpertLoad> windows = SharedLoads.trace(root(), false, 64, 512, 25, 1);
        Numbers numbers = run("gpt-oss-20b mixed, 8 × 5 slots", windows, 32, Topology.even(8, 2, 5));

        assertThat(numbers.initial()).isLessThan(0.70);
        assertThat(numbers.settled()).isGreaterThan(0.90);
        assertThat(numbers.decisions()).isGreaterThanOrEqualTo(1);
    }

    @Test
    void traceInDomainsIsFollowedByMoreThanOneDecision() {
        List<ExpertLoad> windows = SharedLoads.trace(root(), true, 64, 512, 25, 1);
        Numbers numbers = run("gpt-oss-20b domains, 8 × 5 slots", windows, 32, Topology.even(8, 2, 5));

        assertThat(numbers.settled()).isGreaterThan(0.85);
        assertThat(numbers.decisions()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void driftOfLargeModelsIsFollowed() {
        Path root = root();
        Numbers dsv3 = run(
                "dsv3 drift, 32 × 10 slots",
                SharedLoads.workload(root, "dsv3_drift", 16, 8, 256),
                256,
                Topology.even(32, 4, 10));
        Numbers qwen3 = run(
                "qwen3 drift, 16 × 10 slots",
                SharedLoads.workload(root, "qwen3_drift", 16, 8, 128),
                128,
                Topology.even(16, 2, 10));

        assertThat(dsv3.settled()).isGreaterThan(0.90);
        assertThat(qwen3.settled()).isGreaterThan(0.90);
        assertThat(dsv3.predicted()).isCloseTo(dsv3.realised(), within(0.01));
        assertThat(qwen3.predicted()).isCloseTo(qwen3.realised(), within(0.01));
    }

    @Test
    void steadyLoadIsServedWithFewDecisionsAndPromisesAreKept() {
        Numbers steady = run(
                "dsv3 stationary, 32 × 10 slots",
                SharedLoads.workload(root(), "dsv3_stationary", 16, 8, 256),
                256,
                Topology.even(32, 4, 10));

        assertThat(steady.settled()).isGreaterThan(0.95);
        assertThat(steady.decisions()).isLessThanOrEqualTo(4);
        assertThat(steady.predicted()).isCloseTo(steady.realised(), within(0.01));
    }

    @Test
    void planOfFiftyEightLayersIsShortEnoughForTheLoopsThread() {
        List<ExpertLoad> windows = SharedLoads.workload(root(), "dsv3_drift", 16, 8, 256);
        long[][] load = new long[58][];
        for (int layer = 0; layer < load.length; layer++) {
            load[layer] = Arrays.stream(windows.get(layer / 8).layer(layer % 8))
                    .mapToLong(Math::round)
                    .toArray();
        }
        ModelShape shape = ModelShape.of("deepseek-v3", 256, 8, 3, 58);
        Topology topology = Topology.even(32, 4, 10);
        Placement initial = Placement.initial(shape, topology);
        List<Double> millis = new ArrayList<>();
        for (int run = 0; run < 10; run++) {
            long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            Policy.named("plimsoll").plan(PlanRequest.of(List.of(ExpertLoad.of(0, load)), initial, shape, topology));
            millis.add((ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1e6);
        }
        System.out.printf(
                Locale.ROOT,
                "58 layers × 256 experts × 32 ranks, all from the initial placement: first %.0f ms, tenth %.0f ms of processor time%n",
                millis.get(0),
                millis.get(9));

        // What a loop can bear between polls; the numbers above are what to look at.
        assertThat(millis.get(9)).isLessThan(5000);
    }

    private static Numbers run(String name, List<ExpertLoad> windows, int experts, Topology topology) {
        Numbers numbers = follow(PlannerSettings.DEFAULTS, windows, experts, topology);
        System.out.printf(
                Locale.ROOT,
                "%-36s initial %.3f  settled %.4f (worst window %.3f)  decisions %d  moves first %d then %d  slowest plan %.1f ms  predicted %.3f realised %.3f%n",
                name,
                numbers.initial(),
                numbers.settled(),
                numbers.settledMin(),
                numbers.decisions(),
                numbers.firstMoves(),
                numbers.laterMoves(),
                numbers.slowest(),
                numbers.predicted(),
                numbers.realised());
        return numbers;
    }

    static Numbers follow(PlannerSettings settings, List<ExpertLoad> windows, int experts, Topology topology) {
        int layers = windows.get(0).layers();
        Membership members = new Membership(
                new Deployment("numbers"),
                1,
                ModelShape.of("numbers", experts, 4, 0, layers),
                topology,
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                16,
                512,
                4096,
                4096 * 64);
        Policy policy = Policy.named(settings.policy());
        Placement settled = Placement.initial(members.shape(), topology);
        List<Double> measured = new ArrayList<>();
        double initial = balance(settled, windows.get(0), topology);
        List<Integer> moves = new ArrayList<>();
        int lastSettledAt = -1;
        int idleFrom = 0;
        double slowest = 0;
        Verdict.@Nullable Change inFlight = null;
        int settlesAfter = 0;
        double promised = 0;
        List<Double> promises = new ArrayList<>();
        List<Double> outcomes = new ArrayList<>();
        for (int t = 0; t < windows.size(); t++) {
            if (inFlight != null && t == settlesAfter) {
                settled = inFlight.candidate().target().withVersion(settled.version() + 1);
                promised = inFlight.numbers().predictedBalancedness();
                moves.add(inFlight.numbers().moves());
                inFlight = null;
                lastSettledAt = t;
                idleFrom = t + settings.cooldownWindows();
            }
            if (lastSettledAt >= 0 && t >= lastSettledAt + 1) {
                measured.add(balance(settled, windows.get(t), topology));
            }
            if (t == lastSettledAt) {
                promises.add(promised);
                outcomes.add(balance(settled, windows.get(t), topology));
            }
            if (inFlight == null && t >= idleFrom) {
                long start = System.nanoTime();
                Verdict verdict = WindowPlan.judge(
                        settings,
                        policy::plan,
                        Objective.TOKENS,
                        members,
                        settled,
                        windows.subList(Math.max(0, t + 1 - settings.historyWindows()), t + 1),
                        Duration.ofSeconds(2));
                slowest = Math.max(slowest, (System.nanoTime() - start) / 1e6);
                if (Boolean.getBoolean("plimsoll.verbose")) {
                    System.out.println("  window " + t + ": "
                            + (verdict instanceof Verdict.Keep keep
                                    ? "keep " + keep.reason() + " " + keep.detail()
                                    : "change " + verdict.numbers().line()));
                }
                if (verdict instanceof Verdict.Change change) {
                    inFlight = change;
                    // Proposed at the end of window t, flipped during window t + DELAY.
                    settlesAfter = t + 1 + DELAY;
                }
            }
        }
        return new Numbers(
                initial,
                mean(measured),
                measured.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN),
                moves.size(),
                moves.isEmpty() ? 0 : moves.get(0),
                moves.stream().skip(1).mapToInt(Integer::intValue).sum(),
                slowest,
                mean(promises),
                mean(outcomes));
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    private static double balance(Placement placement, ExpertLoad window, Topology topology) {
        return EvenSplit.balance(placement, window.toDoubles(), topology).mean();
    }

    private static Path root() {
        var root = SharedLoads.root();
        if (root.isEmpty()) {
            System.out.println("PlanningNumbersTest is skipped: no traces at ../shared; set -Dplimsoll.shared=DIR");
        }
        Assumptions.assumeTrue(root.isPresent(), "no shared traces");
        return root.orElseThrow();
    }
}
