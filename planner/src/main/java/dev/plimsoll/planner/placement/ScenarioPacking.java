package dev.plimsoll.planner.placement;

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

    /**
     * @param price fall of the potential that a move must bring
     * @return {@code [slot]}
     */
    static int[] pack(Scenarios scenarios, MoveCosts costs, int slots, double price) {
        int ranks = scenarios.ranks();
        double[] mean = scenarios.mean();
        int[] replicas = Replication.byLoad(mean, slots, ranks);
        double[] unit = Replication.units(mean, replicas);
        Packing packing = new Packing(ranks, slots / ranks, scenarios.experts());
        double[] loadOf = new double[ranks * K];
        for (int expert : Replication.byFalling(unit)) {
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int rank = leastAlong(scenarios, costs, packing, loadOf, expert, replicas[expert], price);
                if (rank < 0) {
                    // Rare, and only light experts are left by then: their loads are not worth being exact about.
                    packing.makeRoom(expert, unit);
                    continue;
                }
                packing.put(rank, expert, unit[expert]);
                for (int k = 0; k < K; k++) {
                    loadOf[rank * K + k] += scenarios.load()[expert * K + k] / replicas[expert];
                }
            }
        }
        return packing.expertOfSlot();
    }

    private static int leastAlong(
            Scenarios scenarios,
            MoveCosts costs,
            Packing packing,
            double[] loadOf,
            int expert,
            int replicas,
            double price) {
        double[] load = scenarios.load();
        int at = expert * K;
        // The sum of squares over K scenarios rises by twice the product: a price in units of potential is that much of
        // it.
        double factor = 2.0 / K / replicas;
        int best = -1;
        double least = Double.POSITIVE_INFINITY;
        for (int rank = 0; rank < scenarios.ranks(); rank++) {
            if (!packing.takes(rank, expert)) {
                continue;
            }
            int r = rank * K;
            double along = loadOf[r] * load[at]
                    + loadOf[r + 1] * load[at + 1]
                    + (loadOf[r + 2] * load[at + 2] + loadOf[r + 3] * load[at + 3])
                    + (loadOf[r + 4] * load[at + 4]
                            + loadOf[r + 5] * load[at + 5]
                            + (loadOf[r + 6] * load[at + 6] + loadOf[r + 7] * load[at + 7]));
            double rise = along * factor + price * costs.of(rank, expert);
            if (rise < least) {
                least = rise;
                best = rank;
            }
        }
        return best;
    }
}
