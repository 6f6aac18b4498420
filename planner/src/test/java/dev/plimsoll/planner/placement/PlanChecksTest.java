package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What plans of the policy {@code plimsoll} must be, whatever the load, and how good and how small they are on fixed loads. */
class PlanChecksTest {
    private static final Policy POLICY = Policy.named("plimsoll");

    private static ModelShape shape(int experts, int layers) {
        return ModelShape.of("check", experts, 1, 0, layers);
    }

    /** Any windows and any settled placement. */
    private static PlanRequest random(long seed) {
        Random random = new Random(seed * 0x9e3779b97f4a7c15L);
        int nodes = 1 + random.nextInt(2);
        int ranks = nodes * (1 + random.nextInt(3));
        int slotsPerRank = 2 + random.nextInt(3);
        int experts = Math.max(slotsPerRank, ranks * slotsPerRank - random.nextInt(6));
        int[][] settled = new int[2][];
        double[][] share = new double[2][];
        for (int layer = 0; layer < 2; layer++) {
            settled[layer] = RandomLayers.placement(random, experts, ranks, slotsPerRank);
            share[layer] = RandomLayers.shares(random, experts);
        }
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window <= random.nextInt(6); window++) {
            long[][][] samples = new long[2][4][];
            for (int layer = 0; layer < 2; layer++) {
                for (int sample = 0; sample < 4; sample++) {
                    samples[layer][sample] = ForecastChecksTest.draw(random, share[layer], 300);
                }
            }
            windows.add(ExpertLoad.ofSamples(window, samples));
        }
        Budget budget = random.nextBoolean()
                ? Budget.UNLIMITED
                : new Budget(1 + random.nextInt(8), Long.MAX_VALUE, 2, 1 + random.nextInt(2));
        return new PlanRequest(
                windows,
                Placement.of(random.nextInt(2), settled),
                shape(experts, 2),
                Topology.even(ranks, nodes, slotsPerRank),
                budget,
                random.nextBoolean() ? MovePrices.EQUAL : new MovePrices(1, 3),
                0);
    }

    @Test
    void plansAreValidWithinTheirBudgetAndKeepWhoStaysInItsSlot() {
        int moved = 0;
        for (long seed = 0; seed < 300; seed++) {
            PlanRequest request = random(seed);
            Topology topology = request.topology();
            for (int layer = 0; layer < 2; layer++) {
                LayerPlan plan = POLICY.plan(request, layer);
                int[] settled = request.settled().layer(layer);
                int[] placed = plan.expertOfSlot();

                check(seed, RandomLayers.isValid(placed, request.shape().experts(), topology.slotsPerRank()), "valid");
                int moves = 0;
                int[] intoRank = new int[topology.ranks()];
                for (int slot = 0; slot < placed.length; slot++) {
                    if (placed[slot] != settled[slot]) {
                        int rank = slot / topology.slotsPerRank();
                        for (int local = 0; local < topology.slotsPerRank(); local++) {
                            check(
                                    seed,
                                    settled[rank * topology.slotsPerRank() + local] != placed[slot],
                                    "slots of who stays are kept");
                        }
                        moves++;
                        intoRank[rank]++;
                    }
                }
                check(seed, moves <= request.budget().moves(), "moves are within the budget");
                check(
                        seed,
                        Arrays.stream(intoRank).max().orElseThrow()
                                <= request.budget().intoRank(),
                        "moves into a rank are within the budget");
                LayerReason reason = plan.reason().orElseThrow();
                check(seed, reason.gains().size() == moves, "every move has its gain");
                check(seed, reason.bound() >= reason.predicted() - 1e-9, "the bound bounds");
                moved += moves;
            }
        }
        assertThat(moved).isGreaterThan(1000);
    }

    private static void check(long seed, boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("seed " + seed + ": not so: " + what);
        }
    }

    @Test
    void sameRequestGivesTheSamePlanWhateverWasAskedBefore() {
        for (long seed = 0; seed < 60; seed++) {
            PlanRequest request = random(seed);
            Plan first = POLICY.plan(request);
            POLICY.plan(random(seed + 1));

            assertThat(Policy.named("plimsoll").plan(request, 1).expertOfSlot())
                    .as("seed %d", seed)
                    .isEqualTo(first.target().layer(1));
            assertThat(POLICY.plan(request)).as("seed %d", seed).isEqualTo(first);
        }
    }

    @Test
    void equalLoadsAreLeftAlone() {
        for (int version = 0; version < 2; version++) {
            int[][] settled = {{0, 1, 2, 3, 4, 5, 6, 7}};
            long[] equal = new long[8];
            Arrays.fill(equal, 100);
            PlanRequest request = PlanRequest.of(
                    List.of(ExpertLoad.of(0, new long[][] {equal})),
                    Placement.of(version, settled),
                    shape(8, 1),
                    Topology.even(4, 2, 2));

            LayerPlan plan = POLICY.plan(request, 0);

            assertThat(plan.expertOfSlot()).isEqualTo(settled[0]);
            assertThat(plan.reason().orElseThrow().stop()).isEqualTo(Stop.OPTIMUM);
        }
    }

    /** What a chain of plans has come to: each is made from the windows so far, and scored on the next one. */
    private record Chain(double next, double bound, double movedShare) {}

    /** Decides what a window brings, {@code [expert]}. */
    private interface Load {
        double[] share(Random random, int window, double[] share);
    }

    private static Chain chain(Load load, int redundant, int tokens, MovePrices prices) {
        double next = 0;
        double bound = 0;
        double moves = 0;
        int plans = 0;
        for (long seed = 0; seed < 6; seed++) {
            Random random = new Random(seed * 0x9e3779b97f4a7c15L);
            Topology topology = Topology.even(8, 2, 4 + redundant);
            double[] share = RandomLayers.shares(random, 32);
            Placement settled = Placement.initial(shape(32, 1), topology);
            List<ExpertLoad> windows = new ArrayList<>();
            for (int window = 0; window < 14; window++) {
                share = load.share(random, window, share);
                long[][][] samples = new long[1][4][];
                for (int sample = 0; sample < 4; sample++) {
                    samples[0][sample] = ForecastChecksTest.draw(random, share, tokens / 4);
                }
                windows.add(ExpertLoad.ofSamples(window, samples));
                if (window > 4) {
                    double[] now = windows.get(window).layer(0);
                    next += EvenSplit.balance(settled, new double[][] {now}, topology).mean();
                    bound += Bounds.balancedness(now, topology.slots(), topology.ranks());
                    plans++;
                }
                if (window > 3) {
                    PlanRequest request = new PlanRequest(
                            windows, settled, shape(32, 1), topology, Budget.UNLIMITED, prices, 0);
                    Placement target = POLICY.plan(request).target();
                    moves += window > 4 ? differences(settled.layer(0), target.layer(0)) : 0;
                    settled = target.withVersion(settled.version() + 1);
                }
            }
        }
        return new Chain(next / plans, bound / plans, moves / plans / 8 / (4 + redundant));
    }

    private static int differences(int[] before, int[] after) {
        int differences = 0;
        for (int slot = 0; slot < before.length; slot++) {
            differences += before[slot] == after[slot] ? 0 : 1;
        }
        return differences;
    }

    @Test
    void steadyLoadIsBalancedOnceAndLeftAlone() {
        Chain chain = chain((random, window, share) -> share, 1, 4000, MovePrices.EQUAL);
        if (Boolean.getBoolean("dev")) System.out.println("steady " + chain);
    }

    @Test
    void driftingLoadIsFollowedWithFewMoves() {
        Chain chain = chain((random, window, share) -> drifted(random, share), 1, 40000, MovePrices.EQUAL);
        if (Boolean.getBoolean("dev")) System.out.println("drift " + chain);
        if (Boolean.getBoolean("dev")) System.out.println("drift far " + chain((random, window, share) -> drifted(random, share), 1, 40000, new MovePrices(1, 8)));
        if (Boolean.getBoolean("dev")) System.out.println("drift0 " + chain((random, window, share) -> drifted(random, share), 0, 40000, MovePrices.EQUAL));
    }

    private static double[] drifted(Random random, double[] share) {
        double[] drifted = new double[share.length];
        double sum = 0;
        for (int expert = 0; expert < share.length; expert++) {
            drifted[expert] = share[expert] * Math.max(0.3, 1 + 0.15 * random.nextGaussian());
            sum += drifted[expert];
        }
        for (int expert = 0; expert < share.length; expert++) {
            drifted[expert] /= sum;
        }
        return drifted;
    }
}
