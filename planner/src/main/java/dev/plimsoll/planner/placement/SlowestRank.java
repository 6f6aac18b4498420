package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * What the slowest rank of a layer is expected to take in a step: the mean of the longest time, which is more than the longest mean.
 *
 * <p>Which rank is the slowest differs from step to step, as the tokens of a step do. A slot stands by in a step with probability
 * e<sup>-λ</sup>; otherwise it takes one of three times, which together have the mean and the variance that a Poisson count of tokens
 * leads to. The distribution of a rank's time is that of the sum of its slots, on a lattice of {@value #CELLS} cells; the slowest rank
 * takes no longer than a time where none does. Ranks are taken as independent: that the tokens of a step are so many in all makes them
 * less so, and less spread, and in the differences between ranks the two cancel.
 *
 * <p>Replicas take turns, at each rank that sends them tokens. So their counts differ by less than if chance chose among them: for each of
 * these ranks by the rounding of its share, at most. Deterministic on any JVM.
 */
final class SlowestRank {
    private static final int CELLS = 256;
    /** Three points of a normal distribution at so many deviations from its middle, the outer two with a sixth each, have its moments. */
    private static final double AWAY = Math.sqrt(3);

    private final Topology topology;
    /** {@code [slot]}: probability of standing by, mean otherwise, and how far away the outer two times are. */
    private final double[] standsBy;

    private final double[] middle;
    private final double[] away;

    private SlowestRank(
            int layer,
            int[] expertOfSlot,
            double[] tokensPerStep,
            ExpectedTime expected,
            ReplicaParts parts,
            Topology topology) {
        this.topology = topology;
        this.standsBy = new double[expertOfSlot.length];
        this.middle = new double[expertOfSlot.length];
        this.away = new double[expertOfSlot.length];
        int[] replicas = EvenSplit.replicas(expertOfSlot, tokensPerStep.length);
        boolean even = parts.even();
        double[] ofSlot = even ? standsBy : parts.slotLoads(layer, expertOfSlot, tokensPerStep, topology);
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int expert = expertOfSlot[slot];
            double own = expert < 0 ? 0 : even ? tokensPerStep[expert] / replicas[expert] : ofSlot[slot];
            standsBy[slot] = 1;
            if (own > 0) {
                set(slot, own, tokensPerStep[expert], replicas[expert], expected);
            }
        }
    }

    private void set(int slot, double own, double tokens, int replicas, ExpectedTime expected) {
        double mean = expected.micros(own);
        double works = -StrictMath.expm1(-own);
        double whenWorking = mean / works;
        double variance = (expected.variance(own) + mean * mean) / works - whenWorking * whenWorking;
        standsBy[slot] = 1 - works;
        middle[slot] = whenWorking;
        away[slot] = AWAY * Math.sqrt(Math.max(0, variance) * turns(tokens, replicas));
    }

    /** Variance of a replica's count in turns, relative to that by chance. */
    private double turns(double tokens, int replicas) {
        double rounding = topology.ranks() * ((double) replicas * replicas - 1) / (12.0 * replicas * tokens);
        return Math.min(1, 1.0 / replicas + rounding);
    }

    /**
     * Expected time of the slowest rank in microseconds.
     *
     * @param expertOfSlot {@code [slot]}, -1 where idle
     * @param tokensPerStep {@code [expert]}
     */
    static double micros(int[] expertOfSlot, double[] tokensPerStep, ExpectedTime expected, Topology topology) {
        return micros(0, expertOfSlot, tokensPerStep, expected, ReplicaParts.EVEN, topology);
    }

    /** The same where replicas do not get equally much. */
    static double micros(
            int layer,
            int[] expertOfSlot,
            double[] tokensPerStep,
            ExpectedTime expected,
            ReplicaParts parts,
            Topology topology) {
        return new SlowestRank(layer, expertOfSlot, tokensPerStep, expected, parts, topology).micros();
    }

    private double micros() {
        double longest = 0;
        for (int rank = 0; rank < topology.ranks(); rank++) {
            double sum = 0;
            for (int slot = first(rank); slot < first(rank + 1); slot++) {
                sum += middle[slot] + away[slot];
            }
            longest = Math.max(longest, sum);
        }
        if (longest == 0) {
            return 0;
        }
        double cell = longest / CELLS;
        // Every slot may end one cell further up for want of a finer lattice.
        double[] noneLonger = new double[CELLS + topology.slotsPerRank() + 1];
        Arrays.fill(noneLonger, 1);
        for (int rank = 0; rank < topology.ranks(); rank++) {
            double[] ofRank = distribution(rank, cell, noneLonger.length);
            double below = 0;
            for (int at = 0; at < noneLonger.length; at++) {
                below += ofRank[at];
                noneLonger[at] *= below;
            }
        }
        double sum = 0;
        for (double probability : noneLonger) {
            sum += 1 - probability;
        }
        return sum * cell;
    }

    private double[] distribution(int rank, double cell, int cells) {
        double[] sum = new double[cells];
        sum[0] = 1;
        int used = 1;
        for (int slot = first(rank); slot < first(rank + 1); slot++) {
            double works = 1 - standsBy[slot];
            if (works == 0) {
                continue;
            }
            double[] next = new double[cells];
            add(sum, used, standsBy[slot], 0, next);
            if (away[slot] < cell / 2) {
                add(sum, used, works, middle[slot] / cell, next);
            } else {
                add(sum, used, works / 6, Math.max(0, middle[slot] - away[slot]) / cell, next);
                add(sum, used, works * 2 / 3, middle[slot] / cell, next);
                add(sum, used, works / 6, (middle[slot] + away[slot]) / cell, next);
            }
            used = Math.min(cells, used + (int) ((middle[slot] + away[slot]) / cell) + 1);
            sum = next;
        }
        return sum;
    }

    /** Adds the distribution moved on by so many cells, part of which are shared out between two. */
    private static void add(double[] sum, int used, double probability, double cells, double[] to) {
        int whole = (int) cells;
        double upper = probability * (cells - whole);
        double lower = probability - upper;
        for (int at = 0; at < used; at++) {
            to[at + whole] += lower * sum[at];
            to[at + whole + 1] += upper * sum[at];
        }
    }

    private int first(int rank) {
        return rank * topology.slotsPerRank();
    }
}
