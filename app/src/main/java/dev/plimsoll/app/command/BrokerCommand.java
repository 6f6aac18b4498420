package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.broker.BrokerCluster;
import dev.plimsoll.app.broker.EmbeddedBroker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A real Kafka broker for trying things out. */
@Command(
        name = "broker",
        mixinStandardHelpOptions = true,
        description =
                "Run a Kafka broker (KRaft, one node, on loopback). For trying things out: a production has its own.")
public final class BrokerCommand implements Callable<Integer>, Validated {
    @Option(
            names = "--port",
            defaultValue = "9092",
            description = "Port for clients, 0 picks one (default: ${DEFAULT-VALUE}).")
    private int port = 9092;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Where its logs are kept (default: a temporary directory, removed at the end).")
    @Nullable
    private Path data;

    @Option(
            names = "--node",
            hidden = true,
            paramLabel = "N",
            description = "Which node of --cluster this is, from 1; for 'plimsoll chaos'.")
    private int node = 1;

    @Option(
            names = "--cluster",
            hidden = true,
            paramLabel = "ID@PORT/CONTROLLER,…",
            description = "All nodes of a cluster that this is one of; for 'plimsoll chaos'.")
    @Nullable
    private String cluster;

    @Override
    public void check(Problems problems) {
        checkCluster(problems);
        problems.require(port >= 0 && port <= 65535, "--port must be 0 to 65535, not " + port);
        problems.require(
                data == null || !Files.exists(data) || Files.isDirectory(data),
                "--data: " + data + " is not a directory");
    }

    private void checkCluster(Problems problems) {
        if (cluster != null) {
            try {
                int nodes = BrokerCluster.parse(cluster).nodes().size();
                problems.require(node >= 1 && node <= nodes, "--node must be 1 to " + nodes + ", not " + node);
            } catch (IllegalArgumentException e) {
                problems.add("--cluster: ", e);
            }
        }
    }

    private EmbeddedBroker start(Path logs) {
        return cluster == null
                ? EmbeddedBroker.start(logs, port)
                : EmbeddedBroker.startNode(logs, node, BrokerCluster.parse(cluster));
    }

    @Override
    public Integer call() throws Exception {
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            Path directory = data;
            if (directory == null) {
                directory = lifecycle
                        .started("data", EmbeddedBroker.temporaryData())
                        .make()
                        .path();
            }
            Path logs = directory;
            EmbeddedBroker broker = lifecycle.start("broker", () -> start(logs));
            System.out.println("broker    ready at " + broker.bootstrapServers() + ", data in " + logs);
            lifecycle.await();
        }
        return 0;
    }
}
