package dev.plimsoll.planner.placement;

/** How far from possible a placement is: what no placement of a layer can better. */
final class Bounds {
    private Bounds() {}

    /**
     * The least that the heaviest replica can weigh, by water-filling: every expert is split into replicas until each is at most
     * that heavy, and all replicas fit the slots.
     *
     * @param load {@code [expert · stride + offset]}, not negative
     * @param slots of the layer; at least as many as experts
     */
    static double heaviestReplica(double[] load, int stride, int offset, int slots, int ranks) {
        double low = 0;
        double high = 0;
        for (int i = offset; i < load.length; i += stride) {
            high = Math.max(high, load[i]);
            low = Math.max(low, load[i] / ranks);
        }
        // The answer is between the two; 40 halvings leave less than rounding does.
        for (int halving = 0; halving < 40 && low < high; halving++) {
            double middle = (low + high) / 2;
            if (fits(load, stride, offset, slots, middle)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return high;
    }

    /** Whether replicas of at most that weight fit the slots. */
    static boolean fits(double[] load, int stride, int offset, int slots, double weight) {
        long needed = 0;
        for (int i = offset; i < load.length; i += stride) {
            needed += load[i] <= weight ? 1 : (long) Math.ceil(load[i] / weight);
        }
        return needed <= slots;
    }

    /** Largest balancedness that any placement of this load can have; 1 for a layer without load. */
    static double balancedness(double[] load, int slots, int ranks) {
        double sum = 0;
        for (double value : load) {
            sum += value;
        }
        double mean = sum / ranks;
        return mean == 0 ? 1 : Math.min(1, mean / heaviestReplica(load, 1, 0, slots, ranks));
    }
}
