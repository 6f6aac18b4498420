package dev.plimsoll.app.broker;

/** Ports for processes that meet by address on this machine. */
public final class FreePorts {
    private FreePorts() {}

    /** The lower one of two that follow each other and that nobody listens on at the moment of asking; nothing reserves them. */
    public static int pair() {
        int port = Ports.free();
        while (!Ports.isFree(port + 1)) {
            port = Ports.free();
        }
        return port;
    }
}
