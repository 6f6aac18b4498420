package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.app.metrics.MetricsServer;
import dev.plimsoll.wire.kafka.KafkaContact;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ExitCode;

/** Runs one role as a process of its own: starts it, serves its metrics, waits for a signal, stops it in order. */
final class RoleRun implements AutoCloseable {
    private static final Duration LOOK = Duration.ofSeconds(10);

    private final Lifecycle lifecycle = new Lifecycle();
    private final Meters meters = new Meters();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private volatile @Nullable KafkaContact contact;

    RoleRun() {
        lifecycle.stopOnSignal();
        lifecycle.started("meters", meters);
    }

    Lifecycle lifecycle() {
        return lifecycle;
    }

    Meters meters() {
        return meters;
    }

    /** The settings for the clients of a role, with meters of them and a line when their cluster goes away or is back. */
    KafkaSettings kafka(String role, KafkaSettings settings) {
        KafkaContact known = new KafkaContact(role + ": Kafka at " + settings.bootstrapServers(), System.err::println);
        contact = known;
        return settings.told(meters.kafka(role, known));
    }

    /** Whether the cluster had all topics when it was asked, and is not away. */
    boolean near(ClusterCheck cluster) {
        KafkaContact known = contact;
        return cluster.found() && (known == null || known.awaySince().isEmpty());
    }

    void serve(MetricsOptions options, Map<String, BooleanSupplier> conditions) throws IOException {
        if (options.port() >= 0) {
            MetricsServer server =
                    lifecycle.started("metrics", new MetricsServer(options.host(), options.port(), meters, conditions));
            System.err.println(
                    "metrics   http://" + options.host() + ":" + server.port() + "/metrics, /livez, /readyz");
        }
    }

    /** The role has ended of itself, so the process must: one that does nothing looks alive to whoever restarts processes. */
    void stopped(Throwable cause) {
        failure.compareAndSet(null, cause);
        lifecycle.requestStop();
    }

    /** Says what the role waits for at its cluster, then waits for a signal or the role's own end; returns the exit code. */
    int await(String role, ClusterCheck cluster) throws InterruptedException {
        cluster.run(lifecycle);
        while (!lifecycle.await(LOOK)) {
            KafkaContact known = contact;
            // A role without work has clients that ask nothing: somebody has to, or nobody knows.
            if (known != null && (known.awaySince().isPresent() || known.quietFor(LOOK))) {
                cluster.look();
            }
        }
        Throwable cause = failure.get();
        if (cause == null) {
            return ExitCode.OK;
        }
        System.err.println("plimsoll: the " + role + " has stopped: "
                + cause.getClass().getSimpleName() + ": " + cause.getMessage());
        return ExitCode.SOFTWARE;
    }

    @Override
    public void close() {
        lifecycle.close();
    }
}
