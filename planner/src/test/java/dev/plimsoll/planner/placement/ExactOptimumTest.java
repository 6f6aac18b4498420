package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * How far plans from the initial placement for one known window are from the best that any placement can do, found by trying all
 * of them, on instances that are small enough for that. More of them: {@code -Dplimsoll.optimum.instances=N}.
 */
class ExactOptimumTest {
    private static final int INSTANCES = Integer.getInteger("plimsoll.optimum.instances", 2_000);
    /** Mean gap; what the search is to be improved to is 0.005. */
    private static final double MOST = 0.005;

    private static final PlimsollPolicy.Settings FREE = new PlimsollPolicy.Settings(0, 0, 0.95, 0, 0.1);

    private enum Family {
        UNIFORM,
        SKEWED,
        ONE_HOT,
        FEW_TOKENS
    }

    private record Small(LayerExample example, long[] load) {
        static Small of(long seed) {
            Random random = new Random(seed * 0x9E3779B97F4A7C15L);
            int experts = 4 + random.nextInt(4);
            int ranks = 2 + random.nextInt(3);
            int least = (experts + ranks - 1) / ranks;
            int most = Math.max(least, Math.min(experts, 9 / ranks));
            Topology topology = Topology.even(ranks, 1, least + random.nextInt(most - least + 1));
            Family family = Family.values()[random.nextInt(Family.values().length)];
            long[] load = new long[experts];
            for (int expert = 0; expert < experts; expert++) {
                load[expert] = switch (family) {
                    case UNIFORM -> 1 + random.nextInt(1000);
                    case SKEWED -> 10_000 / (1 + random.nextInt(20));
                    case ONE_HOT -> expert == 0 ? 2000 : 1 + random.nextInt(500);
                    case FEW_TOKENS -> 1 + random.nextInt(5);
                };
            }
            return new Small(new LayerExample(experts, topology), load);
        }

        double max(int[] expertOfSlot) {
            return EvenSplit.max(example.rankLoads(expertOfSlot, load));
        }

        /** What the bound on balancedness says of the largest rank load. */
        double leastMax() {
            double[] loads = Arrays.stream(load).asDoubleStream().toArray();
            Topology topology = example.topology();
            double mean = Arrays.stream(loads).sum() / topology.ranks();
            return mean / Bounds.balancedness(loads, topology.slots(), topology.ranks());
        }

        int[] plan(PlimsollPolicy.Settings settings) {
            PlanRequest request = PlanRequest.of(
                    List.of(ExpertLoad.of(0, new long[][] {load})),
                    Placement.of(0, new int[][] {example.initial()}),
                    example.shape(1),
                    example.topology());
            return new PlimsollPolicy(settings).plan(request, 0).expertOfSlot();
        }
    }

    /** All placements up to the order of ranks: sets of experts in falling order, as bits. */
    private static final class Search {
        private final Topology topology;
        private final double[] load;
        private final List<Integer> sets = new ArrayList<>();
        private final int[] chosen;
        private double best = Double.POSITIVE_INFINITY;

        private Search(Topology topology, long[] load) {
            this.topology = topology;
            this.load = Arrays.stream(load).asDoubleStream().toArray();
            this.chosen = new int[topology.ranks()];
            for (int set = 0; set < 1 << load.length; set++) {
                if (Integer.bitCount(set) == topology.slotsPerRank()) {
                    sets.add(set);
                }
            }
        }

        static double optimum(Small small) {
            Search search = new Search(small.example().topology(), small.load());
            search.choose(0, 0, new int[small.load().length]);
            return search.best;
        }

        private void choose(int rank, int from, int[] replicas) {
            if (rank == chosen.length) {
                judge(replicas);
                return;
            }
            for (int at = from; at < sets.size(); at++) {
                chosen[rank] = sets.get(at);
                add(chosen[rank], 1, replicas);
                choose(rank + 1, at, replicas);
                add(chosen[rank], -1, replicas);
            }
        }

        private static void add(int set, int count, int[] replicas) {
            for (int expert = 0; expert < replicas.length; expert++) {
                replicas[expert] += (set >> expert & 1) * count;
            }
        }

        private void judge(int[] replicas) {
            for (int count : replicas) {
                if (count == 0) {
                    return;
                }
            }
            double max = 0;
            for (int rank = 0; rank < topology.ranks() && max < best; rank++) {
                double sum = 0;
                for (int expert = 0; expert < load.length; expert++) {
                    sum += (chosen[rank] >> expert & 1) * load[expert] / replicas[expert];
                }
                max = Math.max(max, sum);
            }
            best = Math.min(best, max);
        }
    }

    private static final class Gaps {
        private final String name;
        private final PlimsollPolicy.Settings settings;
        private double sum;
        private double most;
        private int optimal;

        Gaps(String name, PlimsollPolicy.Settings settings) {
            this.name = name;
            this.settings = settings;
        }

        void add(Small small, double optimum, long seed) {
            double gap = small.max(small.plan(settings)) / optimum - 1;
            assertThat(gap).as("seed %d", seed).isGreaterThan(-1e-9);
            sum += gap;
            most = Math.max(most, gap);
            optimal += gap < 1e-9 ? 1 : 0;
        }

        double mean() {
            return sum / INSTANCES;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%s: mean gap %.3f %%, most %.1f %%, optimal %.1f %%",
                    name,
                    100 * mean(),
                    100 * most,
                    100.0 * optimal / INSTANCES);
        }
    }

    @Test
    void plansAreCloseToTheBestOfAllPlacements() {
        Gaps free = new Gaps("moves cost nothing", FREE);
        Gaps priced = new Gaps("defaults", PlimsollPolicy.Settings.DEFAULTS);
        for (long seed = 0; seed < INSTANCES; seed++) {
            Small small = Small.of(seed);
            double optimum = Search.optimum(small);
            assertThat(optimum).as("seed %d", seed).isGreaterThan(small.leastMax() - 1e-9);
            free.add(small, optimum, seed);
            priced.add(small, optimum, seed);
        }
        System.out.println("exact optimum of " + INSTANCES + " small instances: " + free + "; " + priced);
        assertThat(free.mean()).isLessThan(MOST);
        assertThat(priced.mean()).isLessThan(MOST);
    }
}
