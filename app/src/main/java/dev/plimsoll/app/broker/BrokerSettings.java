package dev.plimsoll.app.broker;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The settings of a Kafka node that is broker and controller at once, alone or as one of a few.
 *
 * @param log the directory of Kafka's logs
 * @param node its number, from 1
 * @param cluster all nodes; their controller ports stand in the voter list, so they cannot be 0
 */
record BrokerSettings(Path log, int node, BrokerCluster cluster) {

    private static final int MIB = 1 << 20;

    /** Kafka's own names and values, sorted by name. */
    Map<String, String> asMap() {
        Map<String, String> settings = new TreeMap<>();
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", "" + node);
        settings.put("controller.quorum.voters", voters());
        settings.put("controller.listener.names", "CONTROLLER");
        int port = cluster.nodes().get(node - 1).port();
        int controllerPort = cluster.nodes().get(node - 1).controllerPort();
        settings.put("listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
        settings.put("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
        settings.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        settings.put("log.dirs", log.toString());

        // Of one node: whatever Kafka would copy three times can only be here once.
        settings.put("default.replication.factor", "" + cluster.replicas());
        settings.put("min.insync.replicas", "" + cluster.minInSync());
        settings.put("offsets.topic.replication.factor", "" + cluster.replicas());
        settings.put("transaction.state.log.replication.factor", "" + cluster.replicas());
        settings.put("transaction.state.log.min.isr", "" + cluster.minInSync());
        settings.put("share.coordinator.state.topic.replication.factor", "" + cluster.replicas());
        settings.put("share.coordinator.state.topic.min.isr", "" + cluster.minInSync());
        settings.put("offsets.topic.num.partitions", "4");
        settings.put("transaction.state.log.num.partitions", "4");
        settings.put("share.coordinator.state.topic.num.partitions", "4");

        // Small: two cores and 1 GiB of heap are shared with the ranks. The cleaner's default buffer alone is 128 MiB.
        settings.put("num.network.threads", "2");
        settings.put("num.io.threads", "4");
        settings.put("background.threads", "4");
        settings.put("log.cleaner.dedupe.buffer.size", "" + 8 * MIB);
        settings.put("log.index.size.max.bytes", "" + MIB);

        // A default for topics that say nothing themselves: a day, and a bound on the disk that one partition may fill.
        settings.put("auto.create.topics.enable", "false");
        settings.put("log.retention.hours", "24");
        settings.put("log.retention.bytes", "" + 512 * MIB);
        settings.put("log.segment.bytes", "" + 64 * MIB);

        // Groups and transactions of a process that was killed are let go in seconds; a single node has nobody to wait
        // for.
        settings.put("group.initial.rebalance.delay.ms", "0");
        settings.put("group.consumer.min.session.timeout.ms", "6000");
        settings.put("group.consumer.session.timeout.ms", "10000");
        settings.put("group.consumer.min.heartbeat.interval.ms", "1000");
        settings.put("group.consumer.heartbeat.interval.ms", "2000");
        settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");
        settings.put("broker.heartbeat.interval.ms", "500");
        settings.put("broker.session.timeout.ms", "4000");

        // Without it the next start waits until the controller forgets the last one (4 s here).
        settings.put("controlled.shutdown.enable", "true");
        settings.put("server.max.startup.time.ms", "60000");
        return settings;
    }

    private String voters() {
        return IntStream.rangeClosed(1, cluster.nodes().size())
                .mapToObj(voter ->
                        voter + "@127.0.0.1:" + cluster.nodes().get(voter - 1).controllerPort())
                .collect(Collectors.joining(","));
    }
}
