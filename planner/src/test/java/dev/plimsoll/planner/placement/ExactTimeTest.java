package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * How far plans by time are from the best that any placement can do, in what the slowest rank of a step is expected to take, found by trying
 * all placements of instances that are small enough for that: from less than a token per expert and step to hundreds. More of
 * them: {@code -Dplimsoll.optimum.instances=N}.
 */
class ExactTimeTest {
    private static final int INSTANCES = Integer.getInteger("plimsoll.optimum.instances", 2_000) / 10;
    private static final double MOST = 0.01;

    private static final List<ExpectedTime> TIMES = List.of(
            new ExpectedTime(RandomTimes.ROOFLINE),
            new ExpectedTime(tiles()),
            new ExpectedTime(new DeviceProfile("both", List.of(new Point(1, 4.08), new Point(1001, 84.08)), 0)));
    private static final double[] TOKENS_PER_EXPERT = {1, 8, 60, 400};

    private static DeviceProfile tiles() {
        List<Point> points = new ArrayList<>();
        for (int tile = 0; tile < 200; tile++) {
            points.add(new Point(16 * tile + 1, 9.0 * (tile + 1)));
            points.add(new Point(16 * tile + 16, 9.0 * (tile + 1)));
        }
        return new DeviceProfile("tiles", points, 0);
    }

    private record Small(LayerExample example, long[] load, long steps, ExpectedTime expected) {
        static Small of(long seed) {
            Random random = new Random(seed * 0x9E3779B97F4A7C15L);
            int experts = 4 + random.nextInt(4);
            int ranks = 2 + random.nextInt(3);
            int least = (experts + ranks - 1) / ranks;
            int most = Math.max(least, Math.min(experts, 9 / ranks));
            Topology topology = Topology.even(ranks, 1, least + random.nextInt(most - least + 1));
            int family = random.nextInt(3);
            long[] load = new long[experts];
            for (int expert = 0; expert < experts; expert++) {
                load[expert] = switch (family) {
                    case 0 -> 1000 + random.nextInt(10_000);
                    case 1 -> 100_000 / (1 + random.nextInt(20));
                    default -> expert == 0 ? 20_000 : 10 + random.nextInt(5_000);
                };
            }
            double perExpert = TOKENS_PER_EXPERT[random.nextInt(TOKENS_PER_EXPERT.length)];
            long steps = Math.max(1, Math.round(Arrays.stream(load).sum() / (experts * perExpert)));
            return new Small(new LayerExample(experts, topology), load, steps, TIMES.get(random.nextInt(TIMES.size())));
        }

        double[] tokensPerStep() {
            return Arrays.stream(load)
                    .mapToDouble(tokens -> (double) tokens / steps)
                    .toArray();
        }

        int[] plan(boolean idle) {
            PlanRequest request = PlanRequest.of(
                            List.of(ExpertLoad.of(0, new long[][] {load}).over(steps)),
                            Placement.of(0, new int[][] {example.initial()}),
                            example.shape(1),
                            example.topology())
                    .withObjective(new Objective.Time(expected), idle);
            return new PlimsollPolicy(PlimsollPolicy.Settings.DEFAULTS)
                    .plan(request)
                    .target()
                    .inUse(0);
        }
    }

    /** All placements up to the order of ranks: sets of experts in falling order, as bits. */
    private static final class Search {
        private final Topology topology;
        private final ExpectedTime expected;
        private final double[] tokens;
        private final boolean idle;
        private final int[] chosen;
        private double best = Double.POSITIVE_INFINITY;

        private Search(Small small, boolean idle) {
            this.topology = small.example().topology();
            this.expected = small.expected();
            this.tokens = small.tokensPerStep();
            this.idle = idle;
            this.chosen = new int[topology.ranks()];
        }

        static double optimum(Small small, boolean idle) {
            Search search = new Search(small, idle);
            search.choose(0);
            return search.best;
        }

        private void choose(int rank) {
            if (rank == chosen.length) {
                judge();
                return;
            }
            for (int set = rank == 0 ? 0 : chosen[rank - 1]; set < 1 << tokens.length; set++) {
                int size = Integer.bitCount(set);
                if (size == topology.slotsPerRank() || (idle && size < topology.slotsPerRank())) {
                    chosen[rank] = set;
                    choose(rank + 1);
                }
            }
        }

        private void judge() {
            int covered = 0;
            for (int set : chosen) {
                covered |= set;
            }
            if (covered != (1 << tokens.length) - 1) {
                return;
            }
            int[] placed = new int[topology.slots()];
            Arrays.fill(placed, -1);
            for (int rank = 0; rank < chosen.length; rank++) {
                int slot = rank * topology.slotsPerRank();
                for (int expert = 0; expert < tokens.length; expert++) {
                    if ((chosen[rank] >> expert & 1) == 1) {
                        placed[slot++] = expert;
                    }
                }
            }
            // The mean of the slowest is no less than the slowest mean.
            if (EvenSplit.max(ExpertTime.rankMicros(placed, tokens, expected, topology)) < best) {
                best = Math.min(best, SlowestRank.micros(placed, tokens, expected, topology));
            }
        }
    }

    @Test
    void plansByTimeAreCloseToTheBestOfAllPlacements() {
        for (boolean idle : new boolean[] {false, true}) {
            double sum = 0;
            double most = 0;
            int optimal = 0;
            for (long seed = 0; seed < INSTANCES; seed++) {
                Small small = Small.of(seed);
                double optimum = Search.optimum(small, idle);
                double gap = SlowestRank.micros(
                                        small.plan(idle),
                                        small.tokensPerStep(),
                                        small.expected(),
                                        small.example().topology())
                                / optimum
                        - 1;
                assertThat(gap).as("seed %d", seed).isGreaterThan(-1e-9);
                sum += gap;
                most = Math.max(most, gap);
                optimal += gap < 1e-9 ? 1 : 0;
            }
            System.out.println(String.format(
                    Locale.ROOT,
                    "exact optimum by time of %d small instances%s: mean gap %.3f %%, most %.1f %%, optimal %.1f %%",
                    INSTANCES,
                    idle ? ", slots may be idle" : "",
                    100 * sum / INSTANCES,
                    100 * most,
                    100.0 * optimal / INSTANCES));
            assertThat(sum / INSTANCES).isLessThan(MOST);
        }
    }
}
