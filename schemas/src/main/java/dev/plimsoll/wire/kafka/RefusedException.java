package dev.plimsoll.wire.kafka;

/** A partition cannot go on as things are, and will not by trying again: somebody has to put something right first. */
public final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RefusedException(String message) {
        super(message);
    }

    RefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
