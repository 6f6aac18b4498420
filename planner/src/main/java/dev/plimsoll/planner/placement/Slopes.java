package dev.plimsoll.planner.placement;

/**
 * What a layer's potentials would do if little were changed: bounds for {@link Descent}, which need a few operations per candidate.
 *
 * <p>A rank's potential is convex in its loads, so its tangent bounds from above what a step can win; by Jensen's inequality so
 * does the potential of the mean over scenarios. Only what a step has touched is computed anew. Arrays are open to the package:
 * the search reads them in its innermost loops.
 */
final class Slopes {
    private static final int K = LayerState.K;

    /** Slope of the slot's rank along its expert's unit, {@code [slot]}. */
    final double[] own;
    /** Slope of the hot rank along every expert's unit, {@code [expert]}. */
    final double[] hot;
    /** Slope of every rank along the unit of the hot rank's slot, {@code [local slot · ranks + rank]}. */
    final double[] away;
    /** As {@link #hot} and {@link #away}, for what a replica weighs once there is one more. */
    final double[] hotComing;

    final double[] awayComing;
    /** By how much the potentials of an expert's ranks fall together when it gets one more replica, {@code [expert]}. */
    final double[] relief;
    /** By how much the potential of a redundant slot's rank rises when the expert loses another replica, {@code [slot]}. */
    final double[] rise;
    /** The sum over its slots, {@code [expert]}. */
    final double[] riseSum;
    /** Means over scenarios, {@code [expert]} and {@code [rank]}. */
    final double[] meanUnit;

    private final double[] meanComing;
    final double[] meanLoad;
    final double meanLevel;

    private final LayerState state;
    /** {@code [rank · K + k]}. */
    private final double[] gradient;

    private final double[] reliefOfSlot;
    private final boolean[] changed;
    private final int[] changedExperts;

    Slopes(LayerState state) {
        this.state = state;
        this.own = new double[state.slots()];
        this.hot = new double[state.experts];
        this.away = new double[state.slotsPerRank * state.ranks];
        this.hotComing = new double[state.experts];
        this.awayComing = new double[state.slotsPerRank * state.ranks];
        this.relief = new double[state.experts];
        this.rise = new double[state.slots()];
        this.riseSum = new double[state.experts];
        this.meanUnit = new double[state.experts];
        this.meanComing = new double[state.experts];
        this.meanLoad = new double[state.ranks];
        this.gradient = new double[state.ranks * K];
        this.reliefOfSlot = new double[state.slots()];
        this.changed = new boolean[state.experts];
        this.changedExperts = new int[state.experts];
        double sum = 0;
        for (double level : state.level) {
            sum += level;
        }
        this.meanLevel = sum / K;
        state.touchAll();
    }

    /** Brings all but {@link #hot} and {@link #away} up to date. */
    void refresh() {
        int experts = 0;
        for (int i = 0; i < state.touchedCount(); i++) {
            int rank = state.touched(i);
            refreshRank(rank);
            for (int slot = rank * state.slotsPerRank; slot < (rank + 1) * state.slotsPerRank; slot++) {
                int expert = state.expertOf[slot];
                refreshSlot(slot, rank, expert);
                if (!changed[expert]) {
                    changed[expert] = true;
                    changedExperts[experts++] = expert;
                }
            }
        }
        for (int i = 0; i < experts; i++) {
            refreshExpert(changedExperts[i]);
            changed[changedExperts[i]] = false;
        }
        state.forgetTouched();
    }

    private void refreshRank(int rank) {
        double sum = 0;
        for (int k = 0; k < K; k++) {
            double load = state.loadOf[rank * K + k];
            sum += load;
            gradient[rank * K + k] = Math.max(0, load - state.level[k]) * (2.0 / K);
        }
        meanLoad[rank] = sum / K;
    }

    private void refreshSlot(int slot, int rank, int expert) {
        int replicas = state.replicas[expert];
        double potential = state.potential[rank];
        own[slot] = potential == 0 ? 0 : along(rank, expert, state.unit);
        reliefOfSlot[slot] = potential == 0 ? 0 : potential - state.potential(rank, expert, state.less);
        rise[slot] = replicas == 1 ? 0 : state.potential(rank, expert, state.more) - potential;
    }

    private void refreshExpert(int expert) {
        double sum = 0;
        double coming = 0;
        for (int k = 0; k < K; k++) {
            sum += state.unit[expert * K + k];
            coming += state.comes[expert * K + k];
        }
        meanUnit[expert] = sum / K;
        meanComing[expert] = coming / K;
        relief[expert] = 0;
        riseSum[expert] = 0;
        for (int slot = state.firstSlot(expert); slot >= 0; slot = state.nextSlot(slot)) {
            relief[expert] += reliefOfSlot[slot];
            riseSum[expert] += rise[slot];
        }
    }

    /** Brings {@link #hot} and {@link #away} up to date for the rank that steps are to begin at. */
    void aim(int rank) {
        for (int expert = 0; expert < state.experts; expert++) {
            hot[expert] = along(rank, expert, state.unit);
            hotComing[expert] = along(rank, expert, state.comes);
        }
        for (int local = 0; local < state.slotsPerRank; local++) {
            int expert = state.expertOf[rank * state.slotsPerRank + local];
            for (int other = 0; other < state.ranks; other++) {
                int at = local * state.ranks + other;
                away[at] = state.potential[other] == 0 ? 0 : along(other, expert, state.unit);
                awayComing[at] = state.potential[other] == 0 ? 0 : along(other, expert, state.comes);
            }
        }
    }

    /** How fast the rank's potential rises with the expert's part of these. */
    private double along(int rank, int expert, double[] unit) {
        int r = rank * K;
        int e = expert * K;
        return gradient[r] * unit[e]
                + gradient[r + 1] * unit[e + 1]
                + (gradient[r + 2] * unit[e + 2] + gradient[r + 3] * unit[e + 3])
                + (gradient[r + 4] * unit[e + 4]
                        + gradient[r + 5] * unit[e + 5]
                        + (gradient[r + 6] * unit[e + 6] + gradient[r + 7] * unit[e + 7]));
    }

    /** What the rank's potential is at least after one more replica of the incoming expert has taken the place of the other. */
    double afterReplacement(int rank, int outgoing, int incoming) {
        double load = meanLoad[rank] - meanUnit[outgoing] + meanComing[incoming];
        double above = Math.max(0, load - meanLevel);
        return above * above;
    }
}
