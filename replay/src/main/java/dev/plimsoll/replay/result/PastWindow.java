package dev.plimsoll.replay.result;

/**
 * A window of the past, whatever placement it is looked at under.
 *
 * @param index its index, or the number of the frame in a file
 * @param firstStep of its steps
 * @param lastStep of its steps
 * @param closedAtMillis when it was closed; 0 where the source has no time
 * @param load tokens times top-k, over all layers
 * @param completeness part of its cells that were there, 0 to 1
 * @param usable whether it could be planned from: complete, and its placement known
 * @param why it is not usable; empty where it is
 */
public record PastWindow(
        long index,
        long firstStep,
        long lastStep,
        long closedAtMillis,
        long load,
        double completeness,
        boolean usable,
        String why) {}
