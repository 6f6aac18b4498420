package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class PackingTest {
    /** The rule as it was published: a replica goes to the least loaded rank that has room, whatever that rank holds. */
    private static int[] packWithoutMending(double[] load, Topology topology) {
        int[] replicas = Replication.byLoad(load, topology.slots(), topology.ranks());
        double[] unit = Replication.units(load, replicas);
        int[] placed = new int[topology.slots()];
        int[] filled = new int[topology.ranks()];
        double[] ofRank = new double[topology.ranks()];
        for (int expert : Replication.byFalling(unit)) {
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int least = -1;
                for (int rank = 0; rank < ofRank.length; rank++) {
                    if (filled[rank] < topology.slotsPerRank() && (least < 0 || ofRank[rank] < ofRank[least])) {
                        least = rank;
                    }
                }
                placed[least * topology.slotsPerRank() + filled[least]++] = expert;
                ofRank[least] += unit[expert];
            }
        }
        return placed;
    }

    @Test
    @Tag("mutant")
    void packingThatLooksOnlyAtRoomIsCaught() {
        int invalid = 0;
        for (long seed = 0; seed < 500; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            ModelShape shape = given.shape();
            Topology topology = given.topology();
            for (ExpertLoad window : given.windows()) {
                double[][] load = window.toDoubles();
                int[][] placed = new int[load.length][];
                for (int layer = 0; layer < placed.length; layer++) {
                    placed[layer] = packWithoutMending(load[layer], topology);
                }
                invalid += PlacementRules.violations(Placement.of(0, placed), shape, topology)
                                .isEmpty()
                        ? 0
                        : 1;
            }
        }
        assertThat(invalid).isGreaterThan(200);
    }

    /** Counts that no greedy rule would give, as the tree's trials may. */
    private static int[] drawnReplicas(int experts, Topology topology, Random random) {
        int[] replicas = new int[experts];
        Arrays.fill(replicas, 1);
        for (int left = topology.slots() - experts; left > 0; ) {
            int expert = random.nextInt(experts);
            if (replicas[expert] < topology.ranks()) {
                replicas[expert]++;
                left--;
            }
        }
        return replicas;
    }

    @Test
    void packingIsValidForAnyReplicaCounts() {
        for (long seed = 0; seed < 2000; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            ModelShape shape = ModelShape.of("packed", given.shape().experts(), 1, 0, 1);
            Topology topology = given.topology();
            int[] replicas = drawnReplicas(shape.experts(), topology, new Random(seed));
            double[] load = given.newest().layer(0);

            int[] packed = Packing.byLoad(load, replicas, topology.ranks(), topology.slotsPerRank())
                    .expertOfSlot();

            assertThat(PlacementRules.violations(Placement.of(0, new int[][] {packed}), shape, topology))
                    .as("seed %d", seed)
                    .isEmpty();
        }
    }

    @Test
    @Tag("mutant")
    void packingThatNeverMakesRoomIsCaught() {
        int stuck = 0;
        for (long seed = 0; seed < 2000; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            Topology topology = given.topology();
            double[] load = given.newest().layer(0);
            int[] replicas = drawnReplicas(load.length, topology, new Random(seed));
            double[] unit = Replication.units(load, replicas);
            Packing packing = new Packing(topology.ranks(), topology.slotsPerRank(), load.length);
            for (int expert : Replication.byFalling(unit)) {
                for (int replica = 0; replica < replicas[expert]; replica++) {
                    int rank = packing.leastLoaded(expert);
                    if (rank < 0) {
                        stuck++;
                    } else {
                        packing.put(rank, expert, unit[expert]);
                    }
                }
            }
        }
        assertThat(stuck).isGreaterThan(100);
    }

    @Test
    void roomIsMadeWhereItLeavesTheLowestPeak() {
        Packing packing = new Packing(3, 3, 6);
        double[] unit = {10, 4, 3, 1, 2, 0};
        int[][] before = {{1, 3, 4}, {1, 2, 4}, {0, 5}};
        for (int rank = 0; rank < before.length; rank++) {
            for (int expert : before[rank]) {
                packing.put(rank, expert, unit[expert]);
            }
        }

        // Only rank 2 has room, and it holds expert 0. If 1 leaves rank 0 for it, they have 13 and 14; no other
        // exchange stays below 15.
        packing.makeRoom(0, unit);

        assertThat(packing.expertOfSlot()).containsExactly(0, 3, 4, 1, 2, 4, 0, 1, 5);
        assertThat(packing.load(0)).isEqualTo(13);
        assertThat(packing.load(2)).isEqualTo(14);
    }
}
