package dev.plimsoll.replay.score;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.score.PlannerScores.PlanScore;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/**
 * Follows a workload with a policy: plans from the windows up to t, serves the plan, scores it on window t + 1, which it has not
 * seen, and goes on from there. Starts at {@link Placement#initial}; a plan is served at once and whole.
 */
public final class PlannerBench {
    /** Passes over the workload before the one that counts, and their time at most: times are those of compiled code, as in a planner that runs for days. */
    private static final int WARM_UP_PASSES = 10;

    private static final long WARM_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(1500);

    /**
     * How often to plan, and from what.
     *
     * @param replanEvery windows from one plan to the next
     * @param history most windows that a plan is made from
     */
    public record Settings(int replanEvery, int history) {
        public Settings {
            if (replanEvery < 1 || history < 1) {
                throw new IllegalArgumentException(
                        "must be at least 1: --replan-every " + replanEvery + ", --history " + history);
            }
        }
    }

    /** Told after every scored window. */
    public interface Progress {
        void at(int scored, int of);
    }

    private final Workload workload;
    private final ModelShape shape;
    private final EpConfiguration configuration;
    private final Topology topology;
    private final Policy policy;
    private final Settings settings;
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    private PlannerBench(Workload workload, EpConfiguration configuration, Policy policy, Settings settings) {
        this.workload = workload;
        this.shape = workload.shape();
        this.configuration = configuration;
        this.topology = configuration.topology(shape.experts());
        this.policy = policy;
        this.settings = settings;
    }

    /** Plans and scores all windows; the scores depend on nothing but the arguments, the times on the machine. */
    public static PlannerScores run(
            Workload workload, EpConfiguration configuration, Policy policy, Settings settings, Progress progress) {
        return new PlannerBench(workload, configuration, policy, settings).run(progress);
    }

    private PlannerScores run(Progress progress) {
        Placement settled = Placement.initial(shape, topology);
        List<double[]> next = new ArrayList<>();
        List<PlanScore> plans = new ArrayList<>();
        int last = workload.windows().size() - 1;
        warmUp(settled);
        for (int window = 0; window < last; window++) {
            if (window % settings.replanEvery() == 0) {
                long began = now();
                Placement target = plan(window, settled);
                double millis = (now() - began) / 1e6 / shape.layers();
                boolean valid =
                        PlacementRules.violations(target, shape, topology).isEmpty();
                Placement before = settled;
                settled = valid ? target.withVersion(before.version() + 1) : before;
                plans.add(score(window, before, settled, millis, valid));
            }
            next.add(balancedness(settled, workload.windows().get(window + 1)));
            progress.at(window + 1, last);
        }
        return new PlannerScores(policy.name(), next, plans, topology.slots());
    }

    /** Plans the windows as they will be planned, untimed: first plans and later ones take different ways through the code. */
    private void warmUp(Placement initial) {
        long end = System.nanoTime() + WARM_UP_NANOS;
        for (int pass = 0; pass < WARM_UP_PASSES; pass++) {
            Placement settled = initial;
            for (int window = 0; window < workload.windows().size() - 1; window++) {
                if (System.nanoTime() > end) {
                    return;
                }
                Placement target = plan(window, settled);
                if (PlacementRules.violations(target, shape, topology).isEmpty()) {
                    settled = target.withVersion(settled.version() + 1);
                }
            }
        }
    }

    private Placement plan(int newest, Placement settled) {
        try {
            return policy.plan(request(newest, settled)).target();
        } catch (RuntimeException e) {
            throw new IllegalStateException(
                    "policy " + policy.name() + " cannot plan from window " + newest + " of " + workload.name()
                            + " for " + configuration + ": " + e,
                    e);
        }
    }

    private PlanRequest request(int newest, Placement settled) {
        List<ExpertLoad> history = workload.windows().subList(Math.max(0, newest + 1 - settings.history()), newest + 1);
        return PlanRequest.of(history, settled, shape, topology);
    }

    private long now() {
        return threads.isCurrentThreadCpuTimeSupported() ? threads.getCurrentThreadCpuTime() : System.nanoTime();
    }

    private PlanScore score(int window, Placement before, Placement after, double millis, boolean valid) {
        int moves = 0;
        int most = 0;
        for (int layer = 0; layer < shape.layers(); layer++) {
            int[] old = before.layer(layer);
            int[] experts = after.layer(layer);
            for (int first = 0; first < experts.length; first += topology.slotsPerRank()) {
                int into = Arrivals.intoRank(old, experts, first, first + topology.slotsPerRank());
                moves += into;
                most = Math.max(most, into);
            }
        }
        double[] inSample = balancedness(after, workload.windows().get(window));
        return new PlanScore(window, inSample, (double) moves / shape.layers(), most, millis, valid);
    }

    /** {@code [layer]}, layers without load left out. */
    private double[] balancedness(Placement placement, ExpertLoad window) {
        double[] found = new double[shape.layers()];
        int loaded = 0;
        for (int layer = 0; layer < shape.layers(); layer++) {
            OptionalDouble of =
                    Balance.ofLayer(EvenSplit.rankLoads(placement.inUse(layer), window.layer(layer), topology));
            if (of.isPresent()) {
                found[loaded++] = of.getAsDouble();
            }
        }
        return Arrays.copyOf(found, loaded);
    }
}
