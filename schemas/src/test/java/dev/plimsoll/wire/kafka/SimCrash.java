package dev.plimsoll.wire.kafka;

/** The process has been killed: every call of its threads ends with this. */
final class SimCrash extends Error {
    private static final long serialVersionUID = 1L;

    SimCrash() {
        super("killed", null, false, false);
    }
}
