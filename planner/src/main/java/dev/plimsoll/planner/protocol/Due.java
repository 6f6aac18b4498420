package dev.plimsoll.planner.protocol;

/**
 * When a wait for ranks is over: neither before a time nor before they have passed a boundary.
 *
 * @param boundary as {@link Moment#boundaries} counts them
 */
public record Due(long millis, long boundary) {}
