package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * A layer's loads in outline: averages over each half of the scenarios, which bound what a step of a {@link Descent} can win for a
 * few operations.
 *
 * <p>A rank's potential is convex in its loads, so by Jensen's inequality what the averages over any group of scenarios leave of it is the
 * least that the scenarios themselves can leave. The groups are the scenarios with even and with odd indices: those are the ones in
 * which the first principal direction is added and in which it is subtracted, so most of what the scenarios differ in is between the
 * halves and not within them. Only what a step has touched is averaged anew. Arrays are open to the package: the search reads them in its innermost
 * loops, without a branch, so that they run on vectors.
 */
final class Outline {
    private static final int K = LayerState.K;
    /** Of ½ · ¼ (x + |x|)²: the average over two halves of the square of what is positive. */
    static final double PART = 0.125;

    /** What the slot's replica weighs in even and in odd scenarios, {@code [slot]}. */
    final double[] evenUnit;

    final double[] oddUnit;
    /** What the other replicas on its rank weigh beyond the level; negative where they weigh less, {@code [slot]}. */
    final double[] evenRest;

    final double[] oddRest;
    /** What a replica weighs once there is one more, {@code [expert]}. */
    final double[] evenComing;

    final double[] oddComing;
    /** By how much the potentials of an expert's ranks fall together when it gets one more replica, {@code [expert]}. */
    final double[] relief;
    /** By how much the potential of a redundant slot's rank rises when its expert loses another replica, {@code [slot]}. */
    final double[] rise;

    /** By how much the potentials of the other replicas' ranks rise when the slot gives up its own, {@code [slot]}. */
    final double[] othersRise;
    /** By how much all potentials fall at most when the slot gives up its replica; negative infinity for an only one. */
    final double[] vacating;

    private final LayerState state;
    private final double[] reliefOfSlot;
    /** {@code [expert]}, for so many replicas. */
    private final double[] evenOf;

    private final double[] oddOf;
    private final int[] averagedFor;
    private final double evenLevel;
    private final double oddLevel;
    private final double highestLevel;
    private final boolean[] changed;
    private final int[] changedExperts;

    Outline(LayerState state) {
        int slots = state.slots();
        this.state = state;
        this.evenUnit = new double[slots];
        this.oddUnit = new double[slots];
        this.evenRest = new double[slots];
        this.oddRest = new double[slots];
        this.evenComing = new double[state.experts];
        this.oddComing = new double[state.experts];
        this.relief = new double[state.experts];
        this.rise = new double[slots];
        this.othersRise = new double[slots];
        this.vacating = new double[slots];
        this.reliefOfSlot = new double[slots];
        this.evenOf = new double[state.experts];
        this.oddOf = new double[state.experts];
        this.averagedFor = new int[state.experts];
        this.evenLevel = average(state.level, 0);
        this.oddLevel = average(state.level, 1);
        this.highestLevel = Arrays.stream(state.level).max().orElseThrow();
        this.changed = new boolean[state.experts];
        this.changedExperts = new int[state.experts];
        state.touchAll();
    }

    /** Over every second value. */
    private static double average(double[] values, int from) {
        return (values[from] + values[from + 2] + (values[from + 4] + values[from + 6])) * (2.0 / K);
    }

    /** Brings everything up to date with the state. */
    void refresh() {
        int experts = 0;
        for (int i = 0; i < state.touchedCount(); i++) {
            int rank = state.touched(i);
            double even = average(state.loadOf, rank * K) - evenLevel;
            double odd = average(state.loadOf, rank * K + 1) - oddLevel;
            for (int slot = rank * state.slotsPerRank; slot < (rank + 1) * state.slotsPerRank; slot++) {
                int expert = state.expertOf[slot];
                if (!changed[expert]) {
                    changed[expert] = true;
                    changedExperts[experts++] = expert;
                    refreshUnit(expert);
                }
                evenUnit[slot] = evenOf[expert];
                oddUnit[slot] = oddOf[expert];
                evenRest[slot] = even - evenOf[expert];
                oddRest[slot] = odd - oddOf[expert];
                refreshSlot(slot, rank, expert);
            }
        }
        for (int i = 0; i < experts; i++) {
            addUp(changedExperts[i]);
            changed[changedExperts[i]] = false;
        }
        state.forgetTouched();
    }

    private void refreshUnit(int expert) {
        if (averagedFor[expert] != state.replicas[expert]) {
            averagedFor[expert] = state.replicas[expert];
            evenOf[expert] = average(state.unit, expert * K);
            oddOf[expert] = average(state.unit, expert * K + 1);
            evenComing[expert] = average(state.comes, expert * K);
            oddComing[expert] = average(state.comes, expert * K + 1);
        }
    }

    private void refreshSlot(int slot, int rank, int expert) {
        double potential = state.potential[rank];
        reliefOfSlot[slot] = potential == 0 ? 0 : potential - state.potential(rank, expert, state.less);
        rise[slot] = state.replicas[expert] == 1 ? 0 : state.potential(rank, expert, state.more) - potential;
        if (expert == state.nothing) {
            // What a slot that holds nothing has does not depend on the others.
            othersRise[slot] = 0;
            vacating[slot] = potential - left(slot, 0, 0);
        }
    }

    private void addUp(int expert) {
        double fall = 0;
        double riseOfAll = 0;
        for (int slot = state.firstSlot(expert); slot >= 0; slot = state.nextSlot(slot)) {
            fall += reliefOfSlot[slot];
            riseOfAll += rise[slot];
        }
        relief[expert] = fall;
        for (int slot = state.firstSlot(expert); slot >= 0; slot = state.nextSlot(slot)) {
            othersRise[slot] = riseOfAll - rise[slot];
            vacating[slot] = state.replicas[expert] == 1
                    ? Double.NEGATIVE_INFINITY
                    : state.potential[state.rankOf(slot)] - left(slot, 0, 0) - othersRise[slot];
        }
    }

    /** By how much the potentials fall at most when two slots exchange their experts. */
    double mostOfExchange(int slot, int other) {
        return state.potential[state.rankOf(slot)]
                + state.potential[state.rankOf(other)]
                - left(slot, evenUnit[other], oddUnit[other])
                - left(other, evenUnit[slot], oddUnit[slot]);
    }

    /**
     * By how much they fall at most when another expert takes the place of the slot's, but for {@link #sharedRise}; negative
     * infinity for an only replica.
     */
    double mostOfReplacement(int slot, int incoming) {
        return relief[incoming]
                + vacating[slot]
                + left(slot, 0, 0)
                - left(slot, evenComing[incoming], oddComing[incoming]);
    }

    /**
     * What the rise of the leaver's other replicas is at most made up for on ranks that have the one that comes; at most
     * {@link #othersRise}.
     */
    double sharedRise(int slot, int incoming) {
        double sum = 0;
        for (int other = state.firstSlot(state.expertOf[slot]); other >= 0; other = state.nextSlot(other)) {
            if (other != slot && rise[other] > 0 && state.holds(state.rankOf(other), incoming)) {
                sum += rise[other];
            }
        }
        return sum;
    }

    /** What the slot's rank keeps of its potential at least with a replica that weighs so much in place of the slot's. */
    private double left(int slot, double even, double odd) {
        return PART * (square(evenRest[slot] + even) + square(oddRest[slot] + odd));
    }

    /** What is above 0, doubled and squared, without a branch. */
    private static double square(double x) {
        double above = x + Math.abs(x);
        return above * above;
    }

    /** By how much a bound may be below what it bounds, because it is computed in another way. */
    double rounding() {
        double highest = 0;
        for (double potential : state.potential) {
            highest = Math.max(highest, potential);
        }
        // No load is above the level by more than the root of K times its rank's potential; a bound adds up some twenty
        // products of
        // two loads, and as many more as an expert has replicas.
        return 4e-15 * (16 + state.ranks) * (highestLevel * highestLevel + K * highest);
    }
}
