package dev.plimsoll.device;

/**
 * What the flip of one batch took on a rank, as its heat ring's header shows it to the node.
 *
 * @param receivedBytes weights that came from other ranks
 * @param transferNanos from the boundary at which transfers might start to the arrival of the last of them; 0 where nothing came
 * @param flipNanos that the dispatch thread spent on the flip
 */
public record FlipTimes(long receivedBytes, long transferNanos, long flipNanos) {}
