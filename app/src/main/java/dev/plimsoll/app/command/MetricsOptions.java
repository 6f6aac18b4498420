package dev.plimsoll.app.command;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where metrics and health are served. */
public final class MetricsOptions {
    @Option(
            names = "--metrics-port",
            paramLabel = "PORT",
            description = "Serve /metrics (Prometheus), /livez and /readyz on this port; 0 picks one.")
    @Nullable
    private Integer port;

    @Option(
            names = "--metrics-host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "Address to serve them on (default: ${DEFAULT-VALUE}).")
    private String host = "127.0.0.1";

    public void check(Problems problems) {
        problems.require(
                port == null || (port >= 0 && port <= 65535), "--metrics-port must be 0 to 65535, not " + port);
        if (port != null && port > 0 && port <= 65535) {
            checkFree(problems, port);
        }
    }

    private void checkFree(Problems problems, int wanted) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(host, wanted));
        } catch (IOException e) {
            problems.add("--metrics-port " + wanted + " on " + host + ": ", e);
        }
    }

    /** The port, or -1 when metrics are not to be served. */
    public int port() {
        return port == null ? -1 : port;
    }

    public String host() {
        return host;
    }
}
