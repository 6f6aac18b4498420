package dev.plimsoll.app.chaos;

import dev.plimsoll.app.broker.BrokerCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The processes that chaos befalls: brokers, and roles beside them. */
final class Fleet implements AutoCloseable {
    static final int BROKERS = 3;
    private static final int AGGREGATORS = 2;
    private static final int BROKER_MEGABYTES = 384;
    private static final int ROLE_MEGABYTES = 256;
    private static final Duration STOPPING = Duration.ofSeconds(3);

    private final Map<Family, List<Member>> members = new EnumMap<>(Family.class);
    private final List<Family> order;

    /**
     * Starts nothing.
     *
     * @param order in which roles are started and stopped
     */
    private Fleet(List<Member> brokers, Map<Family, List<Member>> roles, Family... order) {
        members.put(Family.BROKERS, brokers);
        members.putAll(roles);
        this.order = Arrays.asList(order);
    }

    /**
     * Three brokers, two aggregators, a collector per node and a planner: whoever makes windows and decisions of them.
     *
     * @param data of the brokers
     * @param shared where the nodes' directories are
     * @param logs where everything that is printed goes
     */
    static Fleet ofWindows(BrokerCluster cluster, Path data, Path shared, Path logs) {
        String servers = cluster.bootstrapServers();
        List<Member> aggregators = IntStream.rangeClosed(1, AGGREGATORS)
                .mapToObj(number -> new Member(
                        "aggregator-" + number,
                        ROLE_MEGABYTES,
                        logs,
                        List.of("aggregator", "--bootstrap-servers", servers, "--loops", "2")))
                .toList();
        List<Member> collectors = IntStream.range(0, SimulatedDeployment.NODES)
                .mapToObj(node -> new Member(
                        "collector-" + node,
                        ROLE_MEGABYTES,
                        logs,
                        List.of(
                                "collector",
                                "--bootstrap-servers",
                                servers,
                                "--ring-dir",
                                SimulatedDeployment.node(shared, node).toString())))
                .toList();
        Member planner =
                new Member("planner", ROLE_MEGABYTES, logs, List.of("planner", "--bootstrap-servers", servers));
        return new Fleet(
                brokers(cluster, data, logs),
                Map.of(
                        Family.COLLECTORS,
                        collectors,
                        Family.AGGREGATORS,
                        aggregators,
                        Family.PLANNER,
                        List.of(planner)),
                Family.COLLECTORS,
                Family.AGGREGATORS,
                Family.PLANNER);
    }

    /** Brokers, an aggregator, two planners that decide whether or not it pays, and a worker on each machine of ranks. */
    static Fleet ofDecisions(BrokerCluster cluster, Path data, Path logs, List<Path> machines, FaultLibrary faults) {
        String servers = cluster.bootstrapServers();
        Member aggregator =
                new Member("aggregator", ROLE_MEGABYTES, logs, List.of("aggregator", "--bootstrap-servers", servers));
        List<Member> planners = IntStream.rangeClosed(1, 2)
                .mapToObj(number -> new Member(
                        "planner-" + number,
                        ROLE_MEGABYTES,
                        logs,
                        () -> new Member.Life(
                                List.of(
                                        "planner",
                                        "--bootstrap-servers",
                                        servers,
                                        "--policy",
                                        "rotation",
                                        "--plan-threads",
                                        "1"),
                                faults.clock("planner-" + number))))
                .toList();
        List<Member> workers = IntStream.range(0, machines.size())
                .mapToObj(number -> new Member(
                        "worker-" + number,
                        ROLE_MEGABYTES,
                        logs,
                        () -> new Member.Life(
                                List.of(
                                        "worker",
                                        "--bootstrap-servers",
                                        servers,
                                        "--ring-dir",
                                        machines.get(number).toString()),
                                faults.clock("worker-" + number))))
                .toList();
        return new Fleet(
                brokers(cluster, data, logs),
                Map.of(Family.WORKERS, workers, Family.AGGREGATORS, List.of(aggregator), Family.PLANNER, planners),
                Family.WORKERS,
                Family.AGGREGATORS,
                Family.PLANNER);
    }

    private static List<Member> brokers(BrokerCluster cluster, Path data, Path logs) {
        return IntStream.rangeClosed(1, cluster.nodes().size())
                .mapToObj(node -> new Member(
                        "broker-" + node,
                        BROKER_MEGABYTES,
                        logs,
                        List.of(
                                "broker",
                                "--node",
                                Integer.toString(node),
                                "--cluster",
                                cluster.toString(),
                                "--data",
                                data.resolve("broker-" + node).toString())))
                .toList();
    }

    List<Member> of(Family family) {
        return members.getOrDefault(family, List.of());
    }

    void startBrokers() {
        of(Family.BROKERS).forEach(Member::start);
    }

    void startRoles() {
        roles().forEach(Member::start);
    }

    private Stream<Member> roles() {
        return order.stream().flatMap(family -> of(family).stream());
    }

    /** Tells of processes that have ended although nobody here wanted it, and starts them again. */
    void look(Consumer<String> problems) {
        for (Member member : Stream.concat(of(Family.BROKERS).stream(), roles()).toList()) {
            member.endedByItself().ifPresent(code -> {
                problems.accept(member.name() + " has ended by itself with exit code " + code + "; started again");
                member.start();
            });
        }
    }

    /** Stops the roles in order, within three seconds; brokers are killed, as their data goes with them. */
    @Override
    public void close() {
        List<Member> running = new ArrayList<>(roles().toList());
        running.forEach(Member::askToStop);
        long deadline = System.nanoTime() + STOPPING.toNanos();
        for (Member member : running) {
            member.stop(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        }
        of(Family.BROKERS).forEach(Member::kill);
    }
}
