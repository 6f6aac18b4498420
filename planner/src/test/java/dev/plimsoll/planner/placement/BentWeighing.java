package dev.plimsoll.planner.placement;

import java.util.List;

/**
 * A weighing of no device, for checks that the search rests on nothing but what {@link Weighing} promises: a replica with a small part of
 * the load weighs the root of it, so that all replicas together weigh the more the more there are; above a knee it weighs its part.
 */
record BentWeighing(Scenarios scenarios, double knee, boolean idles) implements Weighing {
    private static final int K = Scenarios.COUNT;

    @Override
    public void weigh(int expert, int replicas, double[] unit, double[] comes, double[] less, double[] more) {
        for (int i = expert * K; i < expert * K + K && expert < scenarios.experts(); i++) {
            unit[i] = of(scenarios.load()[i] / replicas);
            comes[i] = of(scenarios.load()[i] / (replicas + 1));
            less[i] = comes[i] - unit[i];
            more[i] = replicas == 1 ? 0 : of(scenarios.load()[i] / (replicas - 1)) - unit[i];
        }
    }

    private double of(double part) {
        return part < knee ? Math.sqrt(knee * part) : part;
    }

    /** The mean rank, had every expert one replica: further ones only add to it. */
    @Override
    public double[] levels(int slots) {
        double[] level = new double[K];
        for (int i = 0; i < scenarios.load().length; i++) {
            level[i % K] += of(scenarios.load()[i]) / scenarios.ranks();
        }
        return level;
    }

    @Override
    public double worth(double[] heaviest) {
        return new TokenWeighing(scenarios).worth(heaviest);
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
        return new TokenWeighing(scenarios).replications(slots);
    }

    @Override
    public boolean redundancyCosts(int slots) {
        return false;
    }
}
