package dev.plimsoll.planner.placement;

/**
 * What replicas of a layer's experts weigh in every scenario, by how many there are: the {@link Objective} inside of the search.
 *
 * <p>A replica never weighs more for there being another, and all of an expert's replicas together never less: the search's bounds
 * rest on it. Units are free; the level is in the same.
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
     * What the heaviest rank weighs at least, whatever the placement, {@code [scenario]}: what a rank weighs above it is excess.
     *
     * @param slots of the layer
     */
    double[] levels(int slots);
}
