package dev.plimsoll.app.broker;

/** An embedded broker that could not start; the message alone tells a person why and what to do next. */
public final class BrokerException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    BrokerException(String message) {
        super(message);
    }

    BrokerException(String message, Throwable cause) {
        super(message, cause);
    }
}
