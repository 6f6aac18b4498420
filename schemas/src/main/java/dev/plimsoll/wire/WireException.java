package dev.plimsoll.wire;

import dev.plimsoll.model.ForeignText;

/** Bytes that are not a record of ours: what is wrong with them, under a stable reason. */
public final class WireException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is wrong, for counters and quarantine. */
    public enum Reason {
        /** Shorter than the frame, or not starting with magic byte 0. */
        FRAME,
        /** A schema id that is not one of this topic. */
        UNKNOWN_SCHEMA,
        /** A schema id out of ours that this release does not know: a later one wrote it. */
        NEWER_SCHEMA,
        /** Bytes that the schema cannot read. */
        MALFORMED,
        /** Readable, but not a valid value. */
        INVALID,
        /** A valid value in another partition than its deployment's: a producer with a partitioner of its own. */
        MISPLACED,
        /** A valid value at which what was to be done with it has failed time and again. */
        CRASHED
    }

    /** Messages quote what stands in the record. */
    private static final int LONGEST = 500;

    private final Reason reason;

    public WireException(Reason reason, String message) {
        super(ForeignText.of(message, LONGEST));
        this.reason = reason;
    }

    public WireException(Reason reason, String message, Throwable cause) {
        super(ForeignText.of(message, LONGEST), cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
