package dev.plimsoll.planner.placement;

import java.util.List;

/**
 * What replicas of a layer's experts weigh in every scenario, by how many there are: the {@link Objective} inside of the search.
 *
 * <p>A replica never weighs more for there being another: the search's bounds rest on it. Units are free; the level is in the same.
 */
interface Weighing {
    /**
     * Works out an expert's replicas in all {@link Scenarios#COUNT} scenarios, from index {@code expert · COUNT} on.
     *
     * @param unit filled with what one of so many replicas weighs
     * @param comes filled with what one weighs once there is one more
     * @param less filled with by how much each of the present changes then: not positive
     * @param more filled with by how much each that stays changes when one leaves: not negative; 0 where there is only one
     */
    void weigh(int expert, int replicas, double[] unit, double[] comes, double[] less, double[] more);

    /**
     * What a rank may weigh, {@code [scenario]}: what it weighs above it is excess. About 1, so that prices mean the same by every
     * objective.
     *
     * @param slots of the layer
     */
    double[] levels(int slots);

    /**
     * How good it is when the heaviest rank weighs so much, above 0 and at most 1.
     *
     * @param heaviest {@code [scenario]}
     */
    double worth(double[] heaviest);

    /**
     * How fast what a rank weighs rises with its share of the load, where a perfectly loaded rank has 1.
     *
     * @param replicas {@code [expert]}
     */
    double slope(int[] replicas);

    /** {@link #worth} that no placement exceeds. */
    double bound(int slots);

    /**
     * How many replicas of each expert placements from scratch may have, {@code [alternative][expert]}: together at most
     * {@code slots}, as many where no slot may be idle.
     */
    List<int[]> replications(int slots);

    /** Whether further replicas help nobody, and cost. */
    boolean redundancyCosts(int slots);

    /** Whether slots may be idle: there is one more expert then, {@link Scenarios#experts()}, which weighs nothing. */
    boolean idles();
}
