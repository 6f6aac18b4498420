package dev.plimsoll.app.chaos;

import dev.plimsoll.app.broker.BrokerCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The processes that chaos befalls: three brokers, two aggregators, a collector per node and a planner. */
final class Fleet implements AutoCloseable {
    static final int BROKERS = 3;
    private static final int AGGREGATORS = 2;
    private static final int BROKER_MEGABYTES = 384;
    private static final int ROLE_MEGABYTES = 256;
    private static final Duration STOPPING = Duration.ofSeconds(3);

    private final List<Member> brokers;
    private final List<Member> aggregators;
    private final List<Member> collectors;
    private final List<Member> planners;

    /**
     * Makes what can be started; starts nothing.
     *
     * @param data of the brokers
     * @param shared where the nodes' directories are
     * @param logs where everything that is printed goes
     */
    Fleet(BrokerCluster cluster, Path data, Path shared, Path logs) {
        String servers = cluster.bootstrapServers();
        brokers = IntStream.rangeClosed(1, BROKERS)
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
        aggregators = IntStream.rangeClosed(1, AGGREGATORS)
                .mapToObj(number -> new Member(
                        "aggregator-" + number,
                        ROLE_MEGABYTES,
                        logs,
                        List.of("aggregator", "--bootstrap-servers", servers, "--loops", "2")))
                .toList();
        collectors = IntStream.range(0, SimulatedDeployment.NODES)
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
        planners = List.of(
                new Member("planner", ROLE_MEGABYTES, logs, List.of("planner", "--bootstrap-servers", servers)));
    }

    List<Member> of(Family family) {
        return switch (family) {
            case BROKERS -> brokers;
            case AGGREGATORS -> aggregators;
            case COLLECTORS -> collectors;
            case PLANNER -> planners;
        };
    }

    void startBrokers() {
        brokers.forEach(Member::start);
    }

    void startRoles() {
        roles().forEach(Member::start);
    }

    private Stream<Member> roles() {
        return Stream.of(collectors, aggregators, planners).flatMap(List::stream);
    }

    /** Tells of processes that have ended although nobody here wanted it, and starts them again. */
    void look(Consumer<String> problems) {
        for (Member member : Stream.concat(brokers.stream(), roles()).toList()) {
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
        brokers.forEach(Member::kill);
    }
}
