package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;

/**
 * What replicas of experts got in a window, by how many an expert had and by their numbers in the order of slots, over all experts and
 * layers: what a split is fitted to.
 */
final class SharedLoad {
    /** Replicas up to which it is kept. */
    static final int MOST = 16;

    static final SharedLoad NONE = new SharedLoad(new long[MOST + 1][MOST]);

    /** {@code [replicas][number]}. */
    private final long[][] load;

    private SharedLoad(long[][] load) {
        this.load = load;
    }

    long at(int replicas, int number) {
        return load[replicas][number];
    }

    /**
     * This, and what the slots counted while {@code placement} was served.
     *
     * @param slotLoad {@code [layer][sample][slot]}
     */
    SharedLoad plus(Placement placement, long[][][] slotLoad) {
        long[][] sum = new long[MOST + 1][];
        for (int replicas = 0; replicas <= MOST; replicas++) {
            sum[replicas] = load[replicas].clone();
        }
        for (int layer = 0; layer < slotLoad.length; layer++) {
            add(placement.inUse(layer), slotLoad[layer], sum);
        }
        return new SharedLoad(sum);
    }

    private static void add(int[] expertOfSlot, long[][] slotLoad, long[][] sum) {
        int experts = 0;
        for (int expert : expertOfSlot) {
            experts = Math.max(experts, expert + 1);
        }
        int[] replicas = EvenSplit.replicas(expertOfSlot, experts);
        int[] number = new int[experts];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int expert = expertOfSlot[slot];
            if (expert < 0) {
                continue;
            }
            int mine = number[expert]++;
            if (replicas[expert] > 1 && replicas[expert] <= MOST) {
                for (long[] sample : slotLoad) {
                    sum[replicas[expert]][mine] = Math.addExact(sum[replicas[expert]][mine], sample[slot]);
                }
            }
        }
    }
}
