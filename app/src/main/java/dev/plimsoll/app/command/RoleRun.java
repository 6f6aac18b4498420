package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.app.metrics.MetricsServer;
import java.io.IOException;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Runs one role as a process of its own: starts it, serves its metrics, waits for a signal, stops it in order. */
final class RoleRun implements AutoCloseable {
    private final Lifecycle lifecycle = new Lifecycle();
    private final Meters meters = new Meters();

    RoleRun() {
        lifecycle.stopOnSignal();
        lifecycle.started("finish", lifecycle::finished);
        lifecycle.started("meters", meters);
    }

    Lifecycle lifecycle() {
        return lifecycle;
    }

    Meters meters() {
        return meters;
    }

    void serve(MetricsOptions options, Map<String, BooleanSupplier> conditions) throws IOException {
        if (options.port() >= 0) {
            MetricsServer server = lifecycle.started(
                    "metrics", new MetricsServer(options.host(), options.port(), meters.registry(), conditions));
            System.err.println(
                    "metrics   http://" + options.host() + ":" + server.port() + "/metrics, /livez, /readyz");
        }
    }

    @Override
    public void close() {
        lifecycle.close();
    }
}
