package dev.plimsoll.app.registry;

/** A schema registry of others did not do what it was asked for; the message says which and what to do. */
public final class RegistryException extends Exception {
    private static final long serialVersionUID = 1;

    /** Whose affair it is. */
    public enum Kind {
        UNREACHABLE,
        REFUSED,
        FAILED
    }

    private final Kind kind;

    private RegistryException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    static RegistryException unreachable(String message, Exception cause) {
        RegistryException exception = new RegistryException(Kind.UNREACHABLE, message);
        exception.initCause(cause);
        return exception;
    }

    static RegistryException refused(String message) {
        return new RegistryException(Kind.REFUSED, message);
    }

    static RegistryException failed(String message) {
        return new RegistryException(Kind.FAILED, message);
    }

    public Kind kind() {
        return kind;
    }
}
