package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * The search of {@link FlashLbPolicy} for one layer: a tree over the replica counts of four groups of experts, hottest first.
 *
 * <p>A group starts with as many redundant slots as the greedy rule by load ÷ replicas gives it among all experts that are not yet
 * fixed; up to eight more and eight less are tried, each time with the greedy rule inside the group and for the rest. Every trial is
 * packed and measured over the stages; the best count is fixed before the next group is tried.
 */
final class FlashLbTree {
    private static final int DEPTH = 4;
    private static final int WIDTH = 8;

    private final FlashLbStages stages;
    private final FlashLbMoments moments;
    private final double[] means;
    private final int ranks;
    private final int slotsPerRank;
    /** Experts by falling mean + z · standard deviation. */
    private final int[] order;

    private int[] best;
    private int[] bestReplicas;
    private double bestPeak;

    /** @param slotsPerRank not more than experts, and enough for all of them together */
    FlashLbTree(FlashLbStages stages, int ranks, int slotsPerRank) {
        this.stages = stages;
        this.moments = new FlashLbMoments(stages);
        this.means = moments.means();
        this.ranks = ranks;
        this.slotsPerRank = slotsPerRank;
        this.order = Replication.byFalling(moments.highs());
        this.bestReplicas = new int[means.length];
        Arrays.fill(bestReplicas, 1);
        share(bestReplicas, 0, order.length, ranks * slotsPerRank - order.length);
        this.best = pack(bestReplicas);
        this.bestPeak = stages.peak(best, ranks);
    }

    /** {@code [slot]}, in any order within a rank. */
    int[] search() {
        int left = ranks * slotsPerRank - order.length;
        for (int group = 0; group < DEPTH - 1 && left > 0; group++) {
            int from = order.length * group / DEPTH;
            int to = order.length * (group + 1) / DEPTH;
            int start = redundant(bestReplicas, from, to);
            int least = Math.max(start - WIDTH, left - (order.length - to) * (ranks - 1));
            int most = Math.min(Math.min(start + WIDTH, left), (to - from) * (ranks - 1));
            int[] fixed = bestReplicas.clone();
            for (int count = Math.max(0, least); count <= most; count++) {
                if (count != start) {
                    tryCount(fixed, from, to, count, left - count);
                }
            }
            left -= redundant(bestReplicas, from, to);
        }
        return best;
    }

    private int redundant(int[] replicas, int from, int to) {
        int redundant = 0;
        for (int i = from; i < to; i++) {
            redundant += replicas[order[i]] - 1;
        }
        return redundant;
    }

    private void tryCount(int[] fixed, int from, int to, int ofGroup, int ofRest) {
        int[] replicas = fixed.clone();
        for (int i = from; i < order.length; i++) {
            replicas[order[i]] = 1;
        }
        share(replicas, from, to, ofGroup);
        share(replicas, to, order.length, ofRest);
        int[] packed = pack(replicas);
        double peak = stages.peak(packed, ranks);
        if (peak < bestPeak) {
            best = packed;
            bestPeak = peak;
            bestReplicas = replicas;
        }
    }

    /** The greedy rule by mean ÷ replicas among the experts at places {@code from} to {@code to} of the order. */
    private void share(int[] replicas, int from, int to, int redundant) {
        for (int i = 0; i < redundant; i++) {
            int hottest = -1;
            for (int place = from; place < to; place++) {
                int expert = order[place];
                if (replicas[expert] < ranks
                        && (hottest < 0 || means[expert] / replicas[expert] > means[hottest] / replicas[hottest])) {
                    hottest = expert;
                }
            }
            replicas[hottest]++;
        }
    }

    /** By falling mean of a replica, each on the rank whose mean + z · standard deviation is then the lowest. */
    private int[] pack(int[] replicas) {
        double[] unit = Replication.units(means, replicas);
        Packing packing = new Packing(ranks, slotsPerRank, means.length);
        double[] variances = new double[ranks];
        for (int expert : Replication.byFalling(unit)) {
            for (int replica = 0; replica < replicas[expert]; replica++) {
                int lowest = -1;
                double lowestHigh = Double.POSITIVE_INFINITY;
                double lowestVariance = 0;
                for (int rank = 0; rank < ranks; rank++) {
                    double mean = packing.load(rank) + unit[expert];
                    // A deviation only adds to the mean, so most ranks need not be looked at.
                    if (mean < lowestHigh && packing.takes(rank, expert)) {
                        double variance =
                                variances[rank] + added(packing, rank, packing.filled(rank), expert, replicas);
                        double high = FlashLbMoments.high(mean, variance);
                        if (high < lowestHigh) {
                            lowest = rank;
                            lowestHigh = high;
                            lowestVariance = variance;
                        }
                    }
                }
                if (lowest >= 0) {
                    packing.put(lowest, expert, unit[expert]);
                    variances[lowest] = lowestVariance;
                } else {
                    packing.makeRoom(expert, unit);
                    for (int rank = 0; rank < ranks; rank++) {
                        variances[rank] = variance(packing, rank, replicas);
                    }
                }
            }
        }
        return packing.expertOfSlot();
    }

    private double variance(Packing packing, int rank, int[] replicas) {
        double variance = 0;
        for (int place = 0; place < packing.filled(rank); place++) {
            variance += added(packing, rank, place, packing.expert(rank, place), replicas);
        }
        return variance;
    }

    /** What a replica adds to the variance of the experts at the rank's first places. */
    private double added(Packing packing, int rank, int places, int expert, int[] replicas) {
        double sum = moments.covariance(expert, expert) / replicas[expert];
        for (int place = 0; place < places; place++) {
            int resident = packing.expert(rank, place);
            sum += 2 * moments.covariance(expert, resident) / replicas[resident];
        }
        return sum / replicas[expert];
    }
}
