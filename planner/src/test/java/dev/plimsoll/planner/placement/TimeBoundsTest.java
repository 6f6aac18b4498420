package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TimeBoundsTest {
    private static final int SMALL = 400;

    /** {@code [expert]} tokens per step on so many ranks of so many slots. */
    private record Layer(ExpectedTime expected, double[] tokens, int ranks, int slotsPerRank) {
        static Layer of(long seed) {
            Random random = new Random(seed * 0x9E3779B97F4A7C15L);
            int experts = 3 + random.nextInt(3);
            int ranks = 2 + random.nextInt(2);
            int least = (experts + ranks - 1) / ranks;
            double[] tokens = new double[experts];
            double most = Math.pow(2, random.nextInt(11) - 2);
            for (int expert = 0; expert < experts; expert++) {
                tokens[expert] = most / (1 + random.nextInt(8));
            }
            return new Layer(RandomTimes.expected(random), tokens, ranks, least + random.nextInt(experts - least + 1));
        }

        double bound(boolean idle) {
            return TimeBounds.slowestRank(expected, tokens, 1, 0, ranks * slotsPerRank, ranks, idle);
        }

        double optimum(boolean idle) {
            return least(0, new int[ranks], idle);
        }

        /** Over all sets of experts on each rank from this one on. */
        private double least(int rank, int[] sets, boolean idle) {
            if (rank == ranks) {
                return slowest(sets);
            }
            double best = Double.POSITIVE_INFINITY;
            for (int set = rank == 0 ? 0 : sets[rank - 1]; set < 1 << tokens.length; set++) {
                int size = Integer.bitCount(set);
                if (size == slotsPerRank || (idle && size < slotsPerRank)) {
                    sets[rank] = set;
                    best = Math.min(best, least(rank + 1, sets, idle));
                }
            }
            return best;
        }

        private double slowest(int[] sets) {
            double slowest = 0;
            for (int set : sets) {
                double sum = 0;
                for (int expert = 0; expert < tokens.length; expert++) {
                    int replicas = 0;
                    for (int other : sets) {
                        replicas += other >> expert & 1;
                    }
                    if (replicas == 0) {
                        return Double.POSITIVE_INFINITY;
                    }
                    sum += (set >> expert & 1) * expected.micros(tokens[expert] / replicas);
                }
                slowest = Math.max(slowest, sum);
            }
            return slowest;
        }
    }

    @Test
    void noPlacementIsFasterAndSomeComeNear() {
        double sum = 0;
        for (long seed = 0; seed < SMALL; seed++) {
            Layer layer = Layer.of(seed);
            double used = layer.optimum(false);
            double idle = layer.optimum(true);

            // Tiles and tables are not smooth: there a further replica can cost a little less than the bound says.
            assertThat(layer.bound(false)).as("seed %d", seed).isLessThanOrEqualTo(used * 1.01);
            assertThat(layer.bound(true)).as("seed %d", seed).isLessThanOrEqualTo(idle * (1 + 1e-9));
            sum += used / layer.bound(false) + idle / layer.bound(true);
        }
        // With two or three ranks, whole experts seldom come out even.
        assertThat(sum / SMALL / 2).isBetween(1.0, 1.25);
    }

    @Test
    void countsWhatRedundantSlotsTakeWhereNoneMayBeIdle() {
        ExpectedTime expected = new ExpectedTime(RandomTimes.ROOFLINE);
        double[] tokens = {20, 20, 20, 20, 20, 20, 20, 20};

        // Eight experts of 4 µs on four ranks, and four more slots that read an expert each.
        assertThat(TimeBounds.slowestRank(expected, tokens, 1, 0, 12, 4, true)).isCloseTo(8, within(0.01));
        assertThat(TimeBounds.slowestRank(expected, tokens, 1, 0, 12, 4, false)).isCloseTo(12, within(0.2));
    }

    @Test
    void redundantSlotsGoWhereTheyTakeTheLeast() {
        ExpectedTime expected = new ExpectedTime(RandomTimes.ROOFLINE);
        // An expert that is hardly ever chosen can have every further slot.
        double[] tokens = {20, 20, 20, 20, 20, 20, 20, 0.001};

        assertThat(TimeBounds.slowestRank(expected, tokens, 1, 0, 11, 4, false)).isCloseTo(7, within(0.01));
    }

    @Test
    void expertThatIsTooSlowForOneSlotIsSplit() {
        ExpectedTime expected = new ExpectedTime(RandomTimes.COMPUTING);
        double[] tokens = {1000, 1, 1, 1};

        // 100 µs in one slot, 50 in each of two, and the mean of two ranks is 50.
        assertThat(TimeBounds.slowestRank(expected, tokens, 1, 0, 4, 2, true)).isCloseTo(100, within(1.0));
        assertThat(TimeBounds.slowestRank(expected, tokens, 1, 0, 6, 2, true)).isCloseTo(50.2, within(0.5));
    }

    @Test
    void readsItsScenarioOnly() {
        ExpectedTime expected = new ExpectedTime(RandomTimes.COMPUTING);
        double[] tokens = {10, 800, 10, 100, 10, 100};

        assertThat(TimeBounds.slowestRank(expected, tokens, 2, 0, 3, 3, true)).isCloseTo(1, within(0.05));
        assertThat(TimeBounds.slowestRank(expected, tokens, 2, 1, 3, 3, true)).isCloseTo(80, within(0.5));
    }
}
