package dev.plimsoll.planner.placement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A replica weighs the time that it is expected to take per step: with its part of the expert's tokens per step, in every scenario.
 *
 * <p>The unit is the least that the slowest rank can take, on average over scenarios. All replicas of an expert together weigh the more
 * the more there are, as each of them reads the weights.
 *
 * <p>What counts is the slowest rank of every step, and steps differ by chance: with few tokens a rank that is no slower than others on
 * average often is the slowest. So what a rank may take without any excess is less than the least that the slowest can take, by
 * {@value #DEVIATIONS} standard deviations of a rank's step; and as the mean over steps of a squared excess is the square of its mean plus
 * its variance, a slot's variance weighs beside its time: at such an excess, variance ÷ (2 · excess).
 */
final class TimeWeighing implements Weighing {
    private static final int K = Scenarios.COUNT;

    /** By about how many of its standard deviations the slowest of some ten ranks is slower than the mean. */
    private static final int DEVIATIONS = 2;

    /** The level is at least that part of what the slowest rank takes. */
    private static final double LEAST_LEVEL = 0.3;

    /** How slow replicas may be, as a part of the slowest rank, for no further one to be made of them from scratch. */
    private static final double[] ENOUGH = {1, 0.7, 0.5, 0};

    /** What redundant slots must add to the time of all ranks for it to be said. */
    private static final double SHOWS = 0.01;

    /** Part of the load on both sides over which a slope is taken. */
    private static final double STEP = 0.05;

    private final Scenarios scenarios;
    /** Expected time with what its variance does. */
    private final ExpectedTime time;
    /** {@code [expert · K + k]} tokens per step. */
    private final double[] tokens;

    private final boolean idle;
    private final double[] level;
    /** What 1 stands for, in microseconds. */
    private final double unitMicros;
    /** What a replica weighs, {@code [replicas · experts + expert][k]}, as far as it was asked for. */
    private final double[][] known;

    /**
     * @param tokensPerStep of the layer, {@code [scenario]}
     * @param idle whether slots may be idle
     */
    TimeWeighing(Scenarios scenarios, double[] tokensPerStep, ExpectedTime expected, int slots, boolean idle) {
        this.scenarios = scenarios;
        this.idle = idle;
        this.tokens = new double[scenarios.load().length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = scenarios.load()[i] / scenarios.ranks() * tokensPerStep[i % K];
        }
        double[] deviation = deviations(tokens, expected, scenarios.ranks());
        double excess = DEVIATIONS * mean(deviation);
        this.time = expected.withVariance(excess == 0 ? 0 : 1 / (2 * excess));
        this.level = new double[K];
        for (int k = 0; k < K; k++) {
            level[k] = TimeBounds.slowestRank(time, tokens, K, k, slots, scenarios.ranks(), idle);
        }
        this.unitMicros = mean(level);
        for (int k = 0; k < K; k++) {
            level[k] = Math.max(LEAST_LEVEL * level[k], level[k] - DEVIATIONS * deviation[k]) / unitMicros;
        }
        this.known = new double[(scenarios.ranks() + 2) * scenarios.experts()][];
    }

    /** Standard deviation of the mean rank's step in microseconds, {@code [scenario]}. */
    private static double[] deviations(double[] tokens, ExpectedTime expected, int ranks) {
        double[] variance = new double[K];
        for (int i = 0; i < tokens.length; i++) {
            variance[i % K] += expected.variance(tokens[i]) / ranks;
        }
        double[] deviation = new double[K];
        for (int k = 0; k < K; k++) {
            deviation[k] = Math.sqrt(variance[k]);
        }
        return deviation;
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    @Override
    public void weigh(int expert, int replicas, double[] unit, double[] comes, double[] less, double[] more) {
        if (expert == scenarios.experts()) {
            return;
        }
        double[] now = of(expert, replicas);
        double[] then = of(expert, Math.min(replicas, scenarios.ranks()) + 1);
        System.arraycopy(now, 0, unit, expert * K, K);
        System.arraycopy(then, 0, comes, expert * K, K);
        for (int k = 0; k < K; k++) {
            less[expert * K + k] = Math.min(0, then[k] - now[k]);
        }
        if (replicas == 1) {
            Arrays.fill(more, expert * K, expert * K + K, 0);
            return;
        }
        double[] before = of(expert, replicas - 1);
        for (int k = 0; k < K; k++) {
            more[expert * K + k] = Math.max(0, before[k] - now[k]);
        }
    }

    private double[] of(int expert, int replicas) {
        int at = replicas * scenarios.experts() + expert;
        if (known[at] == null) {
            double[] unit = new double[K];
            for (int k = 0; k < K; k++) {
                unit[k] = time.micros(tokens[expert * K + k] / replicas) / unitMicros;
            }
            known[at] = unit;
        }
        return known[at];
    }

    @Override
    public double[] levels(int slots) {
        return level.clone();
    }

    /** The least that the slowest rank can take ÷ what it takes, both on average over scenarios. */
    @Override
    public double worth(double[] heaviest) {
        double sum = 0;
        for (double most : heaviest) {
            sum += most;
        }
        return K / sum;
    }

    @Override
    public double slope(int[] replicas) {
        double[] mean = meanTokens();
        double sum = 0;
        for (int expert = 0; expert < mean.length; expert++) {
            double part = mean[expert] / replicas[expert];
            sum += replicas[expert] * (time.micros((1 + STEP) * part) - time.micros((1 - STEP) * part)) / (2 * STEP);
        }
        return sum / (unitMicros * scenarios.ranks());
    }

    @Override
    public double bound(int slots) {
        return 1;
    }

    /** No expert is slower than the slowest rank must be, and what the slots that are left would add shows. */
    @Override
    public boolean redundancyCosts(int slots) {
        double[] mean = meanTokens();
        double single = 0;
        for (double load : mean) {
            double alone = time.micros(load);
            if (alone > unitMicros) {
                return false;
            }
            single += alone;
        }
        int[] replicas = Replication.byTime(mean, time, unitMicros, slots, scenarios.ranks(), false);
        double all = 0;
        for (int expert = 0; expert < mean.length; expert++) {
            all += replicas[expert] * time.micros(mean[expert] / replicas[expert]);
        }
        return all > (1 + SHOWS) * single;
    }

    private double[] meanTokens() {
        double[] mean = new double[scenarios.experts()];
        for (int i = 0; i < tokens.length; i++) {
            mean[i / K] += tokens[i] / K;
        }
        return mean;
    }

    @Override
    public List<int[]> replications(int slots) {
        double[] enough = new double[ENOUGH.length];
        for (int i = 0; i < enough.length; i++) {
            enough[i] = ENOUGH[i] * unitMicros;
        }
        List<int[]> alternatives = new ArrayList<>();
        for (int[] replicas : Replication.byTime(meanTokens(), time, enough, slots, scenarios.ranks(), idle)) {
            if (alternatives.stream().noneMatch(other -> Arrays.equals(other, replicas))) {
                alternatives.add(replicas);
            }
        }
        return alternatives;
    }

    @Override
    public boolean idles() {
        return idle;
    }
}
