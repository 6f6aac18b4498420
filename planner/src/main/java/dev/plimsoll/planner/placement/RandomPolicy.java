package dev.plimsoll.planner.placement;

import java.util.Arrays;
import java.util.Random;

/**
 * A valid placement by chance, whatever the load: what any planner must beat.
 *
 * <p>Redundant slots go to experts drawn alike, then the replicas of every expert, in an order drawn alike, to ranks drawn alike from
 * those that have a free slot and do not hold it. It follows from the seed and the layer, so a request with the same seed asks
 * for no further move. Written for this project: vllm-ascend's policy of that name always exchanges the same two slots.
 */
final class RandomPolicy implements Policy {
    /** Odd and far from any other layer's multiple: seeds next to each other must not give layers shifted by one. */
    private static final long LAYER = 0x9E3779B97F4A7C15L;

    @Override
    public String name() {
        return "random";
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        int[] placed = place(
                new Random(request.seed() + LAYER * (layer + 1)),
                request.shape().experts(),
                request.topology().ranks(),
                request.topology().slotsPerRank());
        return LayerPlan.of(request, layer, placed);
    }

    private static int[] place(Random random, int experts, int ranks, int slotsPerRank) {
        int[] replicas = new int[experts];
        Arrays.fill(replicas, 1);
        for (int left = ranks * slotsPerRank - experts; left > 0; ) {
            int expert = random.nextInt(experts);
            if (replicas[expert] < ranks) {
                replicas[expert]++;
                left--;
            }
        }
        Packing packing = new Packing(ranks, slotsPerRank, experts);
        double[] unloaded = new double[experts];
        for (int expert : shuffled(experts, random)) {
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int rank = drawn(packing, expert, ranks, random);
                if (rank >= 0) {
                    packing.put(rank, expert, 0);
                } else {
                    packing.makeRoom(expert, unloaded);
                }
            }
        }
        return packing.expertOfSlot();
    }

    private static int[] shuffled(int experts, Random random) {
        int[] ids = new int[experts];
        for (int id = 0; id < experts; id++) {
            int at = random.nextInt(id + 1);
            ids[id] = ids[at];
            ids[at] = id;
        }
        return ids;
    }

    /** -1 when every rank with a free slot holds the expert already. */
    private static int drawn(Packing packing, int expert, int ranks, Random random) {
        int drawn = -1;
        int found = 0;
        for (int rank = 0; rank < ranks; rank++) {
            if (packing.takes(rank, expert) && random.nextInt(++found) == 0) {
                drawn = rank;
            }
        }
        return drawn;
    }
}
