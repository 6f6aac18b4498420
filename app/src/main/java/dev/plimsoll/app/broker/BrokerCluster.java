package dev.plimsoll.app.broker;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/**
 * Kafka nodes on loopback that make one cluster, each broker and controller at once and in a process of its own.
 *
 * @param id the cluster's id, which all nodes format their directories with
 * @param nodes node {@code i} of Kafka is {@code nodes[i - 1]}
 */
public record BrokerCluster(String id, List<Node> nodes) {

    /**
     * Where a node listens.
     *
     * @param port for clients and other brokers
     * @param controllerPort for the controllers' quorum
     */
    public record Node(int port, int controllerPort) {}

    public BrokerCluster {
        nodes = List.copyOf(nodes);
        if (nodes.isEmpty()) {
            throw new IllegalArgumentException("a cluster needs a node");
        }
    }

    /** A new cluster on ports that are free now. */
    public static BrokerCluster planned(int nodes) {
        TreeSet<Integer> ports = new TreeSet<>();
        while (ports.size() < 2 * nodes) {
            ports.add(Ports.free());
        }
        List<Integer> free = new ArrayList<>(ports);
        List<Node> planned = new ArrayList<>();
        for (int node = 0; node < nodes; node++) {
            planned.add(new Node(free.get(node), free.get(nodes + node)));
        }
        return new BrokerCluster(Uuid.randomUuid().toString(), planned);
    }

    /** The only node, as a cluster of its own. */
    static BrokerCluster alone(int port, int controllerPort) {
        return new BrokerCluster(Uuid.randomUuid().toString(), List.of(new Node(port, controllerPort)));
    }

    /** Reads what {@link #toString()} writes; throws {@link IllegalArgumentException} for anything else. */
    public static BrokerCluster parse(String text) {
        String[] parts = text.split("@", 2);
        if (parts.length != 2) {
            throw new IllegalArgumentException("'" + text + "' is not ID@PORT/CONTROLLER,…");
        }
        List<Node> nodes = new ArrayList<>();
        for (String node : parts[1].split(",")) {
            String[] ports = node.split("/");
            if (ports.length != 2) {
                throw new IllegalArgumentException("'" + node + "' is not PORT/CONTROLLER");
            }
            nodes.add(new Node(Integer.parseInt(ports[0]), Integer.parseInt(ports[1])));
        }
        return new BrokerCluster(parts[0], nodes);
    }

    /** What clients set as {@code bootstrap.servers}: all nodes, as any one may be down. */
    public String bootstrapServers() {
        return nodes.stream().map(node -> "127.0.0.1:" + node.port()).collect(Collectors.joining(","));
    }

    /** Copies of each partition: of three where there are so many nodes. */
    int replicas() {
        return Math.min(3, nodes.size());
    }

    /** Copies that must have a record before it counts as written: all but one. */
    int minInSync() {
        return Math.max(1, replicas() - 1);
    }

    /** One word, for a command line: {@code ID@PORT/CONTROLLER,…}. */
    @Override
    public String toString() {
        return id + "@"
                + nodes.stream()
                        .map(node -> node.port() + "/" + node.controllerPort())
                        .collect(Collectors.joining(","));
    }
}
