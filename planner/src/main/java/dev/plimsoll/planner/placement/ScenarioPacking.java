package dev.plimsoll.planner.placement;

import java.util.List;

/**
 * A layer's placement from scratch, for all scenarios at once.
 *
 * <p>Replicas by mean load. Packing by falling load puts each replica on the rank whose loads so far go along with it the least: the
 * smallest product of the two over scenarios, which raises the sum of squares of rank loads the least, and for a single scenario is
 * Graham's rule. A rank where the expert is settled is taken for a little more: what a move costs.
 */
final class ScenarioPacking {
    private static final int K = Scenarios.COUNT;

    private ScenarioPacking() {}

    /** By tokens. */
    static int[] pack(Scenarios scenarios, MoveCosts costs, int slots, double price) {
        Weighing weighing = new TokenWeighing(scenarios);
        return pack(scenarios, weighing, weighing.replications(slots).get(0), costs, slots, price);
    }

    /**
     * The best of the packings of all replications.
     *
     * @param start any placement of the layer
     * @param price fall of the potential that a move must bring
     * @return {@code [slot]}, {@link Scenarios#experts()} where idle
     */
    static int[] pack(Scenarios scenarios, Weighing weighing, LayerState start, MoveCosts costs, double price) {
        List<int[]> replications = weighing.replications(start.slots());
        int[] best = new int[0];
        double most = Double.NEGATIVE_INFINITY;
        for (int[] replicas : replications) {
            int[] packed = pack(scenarios, weighing, replicas, costs, start.slots(), price);
            double worth = replications.size() == 1 ? 1 : start.at(packed).balancedness();
            if (worth > most) {
                most = worth;
                best = packed;
            }
        }
        return best;
    }

    private static int[] pack(
            Scenarios scenarios, Weighing weighing, int[] replicas, MoveCosts costs, int slots, double price) {
        int ranks = scenarios.ranks();
        int experts = scenarios.experts();
        double[] units = new double[(experts + 1) * K];
        double[] ignored = new double[units.length];
        for (int expert = 0; expert < experts; expert++) {
            weighing.weigh(expert, replicas[expert], units, ignored, ignored, ignored);
        }
        double[] unit = means(units, experts);
        Packing packing = new Packing(ranks, slots / ranks, experts);
        double[] loadOf = new double[ranks * K];
        for (int expert : Replication.byFalling(unit)) {
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int rank = leastAlong(units, costs, packing, loadOf, expert, price);
                if (rank < 0) {
                    // Rare, and only light experts are left by then: their loads are not worth being exact about.
                    packing.makeRoom(expert, unit);
                    continue;
                }
                packing.put(rank, expert, unit[expert]);
                for (int k = 0; k < K; k++) {
                    loadOf[rank * K + k] += units[expert * K + k];
                }
            }
        }
        packing.fill(experts);
        return packing.expertOfSlot();
    }

    private static double[] means(double[] units, int experts) {
        double[] mean = new double[experts];
        for (int i = 0; i < experts * K; i++) {
            mean[i / K] += units[i] / K;
        }
        return mean;
    }

    private static int leastAlong(
            double[] units, MoveCosts costs, Packing packing, double[] loadOf, int expert, double price) {
        int at = expert * K;
        int best = -1;
        double least = Double.POSITIVE_INFINITY;
        for (int rank = 0; rank < loadOf.length / K; rank++) {
            if (!packing.takes(rank, expert)) {
                continue;
            }
            int r = rank * K;
            double along = loadOf[r] * units[at]
                    + loadOf[r + 1] * units[at + 1]
                    + (loadOf[r + 2] * units[at + 2] + loadOf[r + 3] * units[at + 3])
                    + (loadOf[r + 4] * units[at + 4]
                            + loadOf[r + 5] * units[at + 5]
                            + (loadOf[r + 6] * units[at + 6] + loadOf[r + 7] * units[at + 7]));
            // The sum of squares over K scenarios rises by twice the product: a price in units of potential is that
            // much of
            // it.
            double rise = along * (2.0 / K) + price * costs.of(rank, expert);
            if (rise < least) {
                least = rise;
                best = rank;
            }
        }
        return best;
    }
}
