package dev.plimsoll.replay.format;

/** A format that recordings, or maps of experts, can be written in, by the rules of whoever loads it. */
public interface WritableFormat extends RecordingFormat {
    /**
     * Writes what the format can hold of a recording; where it holds one map of several, the last.
     *
     * @param given what neither format says, and the loader needs
     * @throws CannotHoldException when the format has no way to say what the recording says, or needs to be told more
     */
    Written write(Recording recording, Given given) throws CannotHoldException;

    /** Whether the order of slots on a rank comes back; where it does not, which experts a rank holds still does. */
    default boolean keepsSlotOrder() {
        return true;
    }
}
