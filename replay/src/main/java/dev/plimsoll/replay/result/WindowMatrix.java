package dev.plimsoll.replay.result;

/**
 * The load of every expert in one window.
 *
 * @param index of the window
 * @param why it is worth keeping: {@code decision} or {@code worst}
 * @param load {@code [layer][expert]}, not copied; -1 where nothing is known, which is not 0
 */
public record WindowMatrix(long index, String why, long[][] load) {}
