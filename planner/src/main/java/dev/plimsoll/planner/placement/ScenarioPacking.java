package dev.plimsoll.planner.placement;

import java.util.List;
import java.util.Optional;

/**
 * A layer's placement from scratch, for all scenarios at once.
 *
 * <p>Replicas by mean load. Packing by falling load puts each replica on the rank whose loads so far go along with it the least: the
 * smallest product of the two over scenarios, which raises the sum of squares of rank loads the least, and for a single scenario is
 * Graham's rule. A rank where the expert is settled is taken for a little more: what a move costs.
 */
final class ScenarioPacking {
    private static final int K = Scenarios.COUNT;
    /** The mean of what is added up in another order. */
    private static final double BUT_ROUNDING = 1 - 1e-11;

    private ScenarioPacking() {}

    /** By tokens. */
    static int[] pack(Scenarios scenarios, MoveCosts costs, int slots, double price) {
        Weighing weighing = new TokenWeighing(scenarios);
        int[] replicas = weighing.replications(slots).get(0);
        return pack(scenarios, units(scenarios, weighing, replicas), replicas, costs, slots, price);
    }

    /**
     * A packing.
     *
     * @param expertOfSlot {@link Scenarios#experts()} where idle
     */
    record Packed(int[] expertOfSlot, double balancedness) {}

    /**
     * The best of the packings of all replications; none where no one is better than {@code least}.
     *
     * <p>Whatever the packing, the slowest rank weighs as much as the heaviest replica, and as the mean rank: replications that cannot be
     * better for that reason are not packed.
     *
     * @param start any placement of the layer
     * @param price fall of the potential that a move must bring
     * @param least balancedness
     */
    static Optional<Packed> pack(
            Scenarios scenarios, Weighing weighing, LayerState start, MoveCosts costs, double price, double least) {
        Optional<Packed> best = Optional.empty();
        double most = least;
        List<int[]> replications = weighing.replications(start.slots());
        boolean compared = replications.size() > 1 || least > Double.NEGATIVE_INFINITY;
        for (int[] replicas : replications) {
            double[] units = units(scenarios, weighing, replicas);
            if (compared && weighing.worth(heaviestAtLeast(units, replicas, scenarios.ranks())) <= most) {
                continue;
            }
            int[] packed = pack(scenarios, units, replicas, costs, start.slots(), price);
            double worth = compared ? start.at(packed).balancedness() : 1;
            if (worth > most) {
                most = worth;
                best = Optional.of(new Packed(packed, worth));
            }
        }
        return best;
    }

    /** {@code [expert · K + k]}: what one replica weighs; nothing comes last. */
    private static double[] units(Scenarios scenarios, Weighing weighing, int[] replicas) {
        double[] units = new double[(scenarios.experts() + 1) * K];
        double[] ignored = new double[units.length];
        for (int expert = 0; expert < scenarios.experts(); expert++) {
            weighing.weigh(expert, replicas[expert], units, ignored, ignored, ignored);
        }
        return units;
    }

    /** What the heaviest rank weighs at least, {@code [k]}, as {@link LayerState#heaviest} adds it up. */
    private static double[] heaviestAtLeast(double[] units, int[] replicas, int ranks) {
        double[] heaviest = new double[K];
        double[] sum = new double[K];
        for (int i = 0; i < replicas.length * K; i++) {
            heaviest[i % K] = Math.max(heaviest[i % K], units[i]);
            sum[i % K] += replicas[i / K] * units[i];
        }
        for (int k = 0; k < K; k++) {
            heaviest[k] = Math.max(heaviest[k], sum[k] / ranks * BUT_ROUNDING);
        }
        return heaviest;
    }

    private static int[] pack(
            Scenarios scenarios, double[] units, int[] replicas, MoveCosts costs, int slots, double price) {
        int ranks = scenarios.ranks();
        int experts = scenarios.experts();
        double[] unit = means(units, experts);
        Packing packing = new Packing(ranks, slots / ranks, experts);
        double[][] loadOf = new double[K][ranks];
        double[] some = new double[ranks];
        double[] others = new double[ranks];
        for (int expert : Replication.byFalling(unit)) {
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int rank = leastAlong(units, costs, packing, loadOf, some, others, expert, price);
                if (rank < 0) {
                    // Rare, and only light experts are left by then: their loads are not worth being exact about.
                    packing.makeRoom(expert, unit);
                    continue;
                }
                packing.put(rank, expert, unit[expert]);
                for (int k = 0; k < K; k++) {
                    loadOf[k][rank] += units[expert * K + k];
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

    /** Loops are by rank over arrays of their own, a few terms each: so the compiler uses vectors. */
    private static int leastAlong(
            double[] units,
            MoveCosts costs,
            Packing packing,
            double[][] loadOf,
            double[] some,
            double[] others,
            int expert,
            double price) {
        int at = expert * K;
        along(loadOf, 0, units, at, some);
        along(loadOf, K / 2, units, at + K / 2, others);
        int best = -1;
        double least = Double.POSITIVE_INFINITY;
        for (int rank = 0; rank < some.length; rank++) {
            double along = some[rank] + others[rank];
            // The sum of squares over K scenarios rises by twice the product: a price in units of potential is that
            // much of
            // it.
            double rise = along * (2.0 / K) + price * costs.of(rank, expert);
            if (rise < least && packing.takes(rank, expert)) {
                least = rise;
                best = rank;
            }
        }
        return best;
    }

    /** Half of the products, {@code [rank]}. */
    private static void along(double[][] loadOf, int from, double[] units, int at, double[] sum) {
        double[] first = loadOf[from];
        double[] second = loadOf[from + 1];
        double[] third = loadOf[from + 2];
        double[] fourth = loadOf[from + 3];
        double ofFirst = units[at];
        double ofSecond = units[at + 1];
        double ofThird = units[at + 2];
        double ofFourth = units[at + 3];
        for (int rank = 0; rank < sum.length; rank++) {
            sum[rank] =
                    first[rank] * ofFirst + second[rank] * ofSecond + (third[rank] * ofThird + fourth[rank] * ofFourth);
        }
    }
}
