package dev.plimsoll.replay.format;

/** Which expert each slot held while load of slots was counted, where the file does not say ({@code --map}). */
public sealed interface GivenMap {
    /** As a file says ({@code --map FILE}). */
    record Known(ExpertMap map) implements GivenMap {}

    /** As engines start ({@code --map start}): slot i holds expert i, with no redundancy, and each rank has as many. */
    record AtStart() implements GivenMap {}
}
