package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class BoundsTest {

    /** The least heaviest replica over all ways to share the slots out. */
    private static double least(double[] load, int expert, int slots, int ranks) {
        if (expert == load.length) {
            return 0;
        }
        double least = Double.POSITIVE_INFINITY;
        int others = load.length - expert - 1;
        for (int replicas = 1; replicas <= Math.min(ranks, slots - others); replicas++) {
            least = Math.min(
                    least, Math.max(load[expert] / replicas, least(load, expert + 1, slots - replicas, ranks)));
        }
        return least;
    }

    @Test
    void heaviestReplicaIsTheLeastOverAllReplicaCounts() {
        for (int seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            int experts = 1 + random.nextInt(5);
            int ranks = 1 + random.nextInt(5);
            int slots = experts + random.nextInt(experts * (ranks - 1) + 1);
            double[] load = new double[experts];
            for (int expert = 0; expert < experts; expert++) {
                load[expert] = random.nextInt(4) == 0 ? 0 : random.nextInt(3) == 0 ? 6 : random.nextInt(1000) / 7.0;
            }
            double expected = least(load, 0, slots, ranks);

            assertThat(Bounds.heaviestReplica(load, 1, 0, slots, ranks))
                    .as("seed %d", seed)
                    .isEqualTo(expected, within(1e-9 * (1 + expected)));
        }
    }

    @Test
    void onlyEveryStrideThLoadCounts() {
        double[] load = {3, 100, 5, 200, 8, 300};

        assertThat(Bounds.heaviestReplica(load, 2, 0, 4, 2)).isEqualTo(5, within(1e-9));
        assertThat(Bounds.heaviestReplica(load, 2, 1, 4, 2)).isEqualTo(200, within(1e-9));
    }

    @Test
    void layerWithoutLoadCanBePerfect() {
        assertThat(Bounds.balancedness(new double[4], 8, 4)).isEqualTo(1);
    }

    @Test
    void oneHotExpertLimitsBalancednessByItsReplicas() {
        double[] load = {60, 0, 0, 0};

        assertThat(Bounds.balancedness(load, 4, 4)).isEqualTo(0.25, within(1e-9));
        assertThat(Bounds.balancedness(load, 5, 4)).isEqualTo(0.5, within(1e-9));
        assertThat(Bounds.balancedness(load, 16, 4)).isEqualTo(1, within(1e-9));
    }
}
