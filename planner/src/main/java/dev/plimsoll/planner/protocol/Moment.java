package dev.plimsoll.planner.protocol;

/**
 * A time, and how far ranks are known to be by then.
 *
 * @param millis by the planner's clock
 * @param boundaries that the deployment's ranks are known to have passed since somebody counts; does not fall within an incarnation
 * @param silent whether nothing has been heard of their steps for so long that they are taken to have gone
 */
public record Moment(long millis, long boundaries, boolean silent) {}
