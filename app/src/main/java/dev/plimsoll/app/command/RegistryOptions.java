package dev.plimsoll.app.command;

import dev.plimsoll.app.registry.Catalogue;
import dev.plimsoll.app.registry.RegistryServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a command that does something else besides serves the schemas of the topics. */
public final class RegistryOptions {
    private static final String HOST = "127.0.0.1";

    @Option(
            names = "--registry-port",
            paramLabel = "PORT",
            description = "Serve the topics' schemas to other tools on this port, 0 picks one, -1 does not"
                    + " (default: " + RegistryServer.USUAL_PORT + ", or another one where that is taken).")
    @Nullable
    private Integer port;

    public void check(Problems problems) {
        problems.require(
                port == null || (port >= -1 && port <= 65535), "--registry-port must be -1 to 65535, not " + port);
        if (port != null && port > 0 && port <= 65535) {
            checkFree(problems, "--registry-port", HOST, port);
        }
    }

    /** Whether a port can be had, tried before anything starts. */
    static void checkFree(Problems problems, String option, String host, int wanted) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(host, wanted));
        } catch (IOException e) {
            problems.add(option + " " + wanted + " on " + host + ": ", e);
        }
    }

    public boolean wanted() {
        return port == null || port >= 0;
    }

    /** Starts it. That the usual port is taken stops nobody who did not ask for it. */
    public RegistryServer open() throws IOException {
        if (port != null) {
            return new RegistryServer(HOST, port, new Catalogue());
        }
        try {
            return new RegistryServer(HOST, RegistryServer.USUAL_PORT, new Catalogue());
        } catch (IOException taken) {
            return new RegistryServer(HOST, 0, new Catalogue());
        }
    }
}
