package dev.plimsoll.wire.kafka;

/**
 * A record that a state is made of cannot be read. Going on without it would go on from an older state, and write again what is
 * written: the partition's recovery fails until somebody has looked at it.
 */
public final class UnreadableStateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnreadableStateException(String where, Throwable cause) {
        super(
                where + " cannot be read (" + cause.getMessage()
                        + "). Nothing is recovered from older records in its place, as work"
                        + " would be done twice. If a newer Plimsoll wrote it, run that version; if the record is damaged, write"
                        + " the one of its key before it anew, or delete the consumer group's offsets and this topic's records to start"
                        + " anew from the oldest input.",
                cause);
    }
}
