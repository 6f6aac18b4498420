package dev.plimsoll.planner.placement;

/**
 * A replica weighs the time that it is expected to take per step: with its part of the expert's tokens per step, in every scenario.
 *
 * <p>The unit is the least that the slowest rank can take, on average over scenarios. All replicas of an expert together weigh the more
 * the more there are, as each of them reads the weights.
 */
final class TimeWeighing implements Weighing {
    private static final int K = Scenarios.COUNT;

    private final Scenarios scenarios;
    private final ExpectedTime expected;
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
        this.expected = expected;
        this.idle = idle;
        this.tokens = new double[scenarios.load().length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = scenarios.load()[i] / scenarios.ranks() * tokensPerStep[i % K];
        }
        this.level = new double[K];
        double sum = 0;
        for (int k = 0; k < K; k++) {
            level[k] = TimeBounds.slowestRank(expected, tokens, K, k, slots, scenarios.ranks(), idle);
            sum += level[k];
        }
        this.unitMicros = sum / K;
        for (int k = 0; k < K; k++) {
            level[k] /= unitMicros;
        }
        this.known = new double[(scenarios.ranks() + 2) * scenarios.experts()][];
    }

    double unitMicros() {
        return unitMicros;
    }

    @Override
    public void weigh(int expert, int replicas, double[] unit, double[] comes, double[] less, double[] more) {
        if (expert == scenarios.experts()) {
            return;
        }
        double[] now = of(expert, replicas);
        double[] then = of(expert, Math.min(replicas, scenarios.ranks()) + 1);
        double[] before = of(expert, Math.max(1, replicas - 1));
        for (int k = 0; k < K; k++) {
            int i = expert * K + k;
            unit[i] = now[k];
            comes[i] = then[k];
            less[i] = Math.min(0, then[k] - now[k]);
            more[i] = Math.max(0, before[k] - now[k]);
        }
    }

    private double[] of(int expert, int replicas) {
        int at = replicas * scenarios.experts() + expert;
        if (known[at] == null) {
            double[] unit = new double[K];
            for (int k = 0; k < K; k++) {
                unit[k] = expected.micros(tokens[expert * K + k] / replicas) / unitMicros;
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
        double sum = 0;
        double all = 0;
        for (int expert = 0; expert < scenarios.experts(); expert++) {
            for (int k = 0; k < K; k++) {
                double load = tokens[expert * K + k];
                double step = 0.05 * load;
                double rise = expected.micros((load + step) / replicas[expert])
                        - expected.micros((load - step) / replicas[expert]);
                sum += rise / 0.1 * replicas[expert];
                all += load;
            }
        }
        return all == 0 ? 0 : sum / K / (unitMicros * scenarios.ranks());
    }

    @Override
    public int[] replicas(int slots) {
        int experts = scenarios.experts();
        double[] mean = new double[experts];
        for (int i = 0; i < tokens.length; i++) {
            mean[i / K] += tokens[i] / K;
        }
        return Replication.byTime(mean, expected, unitMicros, slots, scenarios.ranks(), idle);
    }

    @Override
    public boolean idles() {
        return idle;
    }
}
