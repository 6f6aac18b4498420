package dev.plimsoll.app.broker;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * TCP ports of the loopback interface.
 *
 * <p>Free ports are taken from 20000 to 31999, below the range that Linux, macOS and Windows give to outgoing connections.
 * From that range a client that keeps trying to reach a stopped broker could be handed the broker's own port, connect to
 * itself, and keep the broker from coming back.
 */
final class Ports {

    private static final int FIRST = 20_000;
    private static final int COUNT = 12_000;

    private Ports() {}

    /** A port that nobody listens on at the moment of asking; nothing reserves it. */
    static int free() {
        int start = ThreadLocalRandom.current().nextInt(COUNT);
        for (int i = 0; i < COUNT; i++) {
            int port = FIRST + (start + i) % COUNT;
            if (isFree(port)) {
                return port;
            }
        }
        throw new BrokerException("No free TCP port on 127.0.0.1 from " + FIRST + " to " + (FIRST + COUNT - 1)
                + ". Give the broker a port outside this range.");
    }

    /** Whether a server can listen on this port now. */
    static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            // A port in TIME_WAIT after a broker's stop is free: Kafka binds it too.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
