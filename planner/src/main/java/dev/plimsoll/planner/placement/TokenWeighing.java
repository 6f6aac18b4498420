package dev.plimsoll.planner.placement;

import java.util.List;

/**
 * A replica weighs its part of the expert's tokens; the mean rank weighs 1.
 *
 * @param divisors {@link ReplicaParts#divisors}, where replicas do not get equally much: then each weighs what the most loaded one does;
 *     empty where they do
 */
record TokenWeighing(Scenarios scenarios, double[] divisors) implements Weighing {
    private static final int K = Scenarios.COUNT;

    /** Replicas get equally much. */
    TokenWeighing(Scenarios scenarios) {
        this(scenarios, new double[0]);
    }

    @Override
    public void weigh(int expert, int replicas, double[] unit, double[] comes, double[] less, double[] more) {
        if (divisors.length > 0) {
            weighUneven(expert, replicas, unit, comes, less, more);
            return;
        }
        double part = 1.0 / replicas;
        // As parts of the present unit: the search's results are kept to the last bit.
        double partComing = replicas / (replicas + 1.0);
        double partLess = -1.0 / (replicas + 1);
        double partMore = replicas == 1 ? 0 : 1.0 / (replicas - 1);
        for (int i = expert * K; i < expert * K + K; i++) {
            unit[i] = scenarios.load()[i] * part;
            comes[i] = partComing * unit[i];
            less[i] = partLess * unit[i];
            more[i] = partMore * unit[i];
        }
    }

    private void weighUneven(int expert, int replicas, double[] unit, double[] comes, double[] less, double[] more) {
        for (int i = expert * K; i < expert * K + K; i++) {
            double load = scenarios.load()[i];
            unit[i] = load / divisors[replicas];
            comes[i] = load / divisors[replicas + 1];
            less[i] = Math.min(0, comes[i] - unit[i]);
            more[i] = replicas == 1 ? 0 : Math.max(0, load / divisors[replicas - 1] - unit[i]);
        }
    }

    /** The mean, or what the heaviest replica must weigh at least where that is more. */
    @Override
    public double[] levels(int slots) {
        double[] level = new double[K];
        for (int k = 0; k < K; k++) {
            level[k] = Bounds.fits(scenarios.load(), K, k, slots, 1)
                    ? 1
                    : Math.max(1, Bounds.heaviestReplica(scenarios.load(), K, k, slots, scenarios.ranks()));
        }
        return level;
    }

    /** Balancedness that is expected: the mean over scenarios of mean over maximum. */
    @Override
    public double worth(double[] heaviest) {
        double sum = 0;
        for (double most : heaviest) {
            sum += 1 / most;
        }
        return sum / heaviest.length;
    }

    @Override
    public double slope(int[] replicas) {
        return 1;
    }

    @Override
    public double bound(int slots) {
        return worth(levels(slots));
    }

    @Override
    public List<int[]> replications(int slots) {
        return List.of(Replication.byLoad(scenarios.mean(), slots, scenarios.ranks(), divisors));
    }

    @Override
    public boolean redundancyCosts(int slots) {
        return false;
    }

    /** A further replica never adds to what its expert weighs: nothing is gained by an idle slot. */
    @Override
    public boolean idles() {
        return false;
    }
}
