package dev.plimsoll.app;

import dev.plimsoll.aggregator.Aggregator;
import dev.plimsoll.aggregator.AggregatorSettings;
import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.collector.Collector;
import dev.plimsoll.device.AgentListener;
import dev.plimsoll.model.Membership;
import dev.plimsoll.planner.Planner;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.simulator.DeviceTotals;
import dev.plimsoll.simulator.Ending;
import dev.plimsoll.simulator.EngineListener;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.Totals;
import dev.plimsoll.simulator.Traffic;
import dev.plimsoll.wire.kafka.KafkaContact;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.worker.NodeWorker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;

/**
 * The whole loop in one process, against a cluster that is there: ranks, collector, aggregator, planner and worker, started in
 * this order and stopped in reverse.
 */
public final class LocalLoop implements AutoCloseable {
    private static final Duration END_TIMEOUT = Duration.ofSeconds(1);
    private static final Duration LOOK = Duration.ofMillis(20);
    /** From a sample that the broker has to the window that can be read; measured p99: 0.1 to 0.4 s. */
    private static final Duration CLOSING_A_WINDOW = Duration.ofMillis(400);

    private final LocalRanks ranks;
    private final Collector collector;
    private final Aggregator aggregator;
    private final Planner planner;
    private final NodeWorker worker;
    private final Meters meters;
    private final Lifecycle lifecycle;
    private boolean ended;

    /** As the other one, for a process that nobody stops while it starts. */
    public LocalLoop(
            KafkaSettings kafka,
            Membership members,
            EngineSettings engine,
            Traffic traffic,
            PlannerSettings planning,
            Path directory,
            Meters meters,
            Consumer<String> problems) {
        this(
                new Lifecycle(),
                kafka,
                members,
                engine,
                traffic,
                LocalRanks.Transfers.UNLIMITED,
                planning,
                directory,
                meters,
                problems);
    }

    /**
     * Opens the ranks and makes the roles; steps and reads nothing.
     *
     * @param process whose stop keeps ranks and roles from starting; it notes nothing of them
     * @param directory where ranks, collector and worker meet, best on tmpfs
     * @throws Lifecycle.Stopped when the stop comes meanwhile; nothing of it is then left
     */
    public LocalLoop(
            Lifecycle process,
            KafkaSettings kafka,
            Membership members,
            EngineSettings engine,
            Traffic traffic,
            LocalRanks.Transfers transfers,
            PlannerSettings planning,
            Path directory,
            Meters meters,
            Consumer<String> problems) {
        this(
                process,
                kafka,
                members,
                engine,
                traffic,
                transfers,
                planning,
                directory,
                meters,
                meters.agents(),
                EngineListener.NONE,
                problems);
    }

    /**
     * The same.
     *
     * @param agents told of what ranks' agents do, on the dispatch thread, in place of the meters
     * @param steps told of boundaries and steps, there too
     */
    public LocalLoop(
            Lifecycle process,
            KafkaSettings kafka,
            Membership members,
            EngineSettings engine,
            Traffic traffic,
            LocalRanks.Transfers transfers,
            PlannerSettings planning,
            Path directory,
            Meters meters,
            AgentListener agents,
            EngineListener steps,
            Consumer<String> problems) {
        this.meters = meters;
        KafkaSettings told =
                kafka.told(meters.kafka("up", new KafkaContact("Kafka at " + kafka.bootstrapServers(), problems)));
        lifecycle = process.within();
        try {
            ranks = lifecycle.started(
                    "ranks",
                    new LocalRanks(
                            lifecycle,
                            members,
                            engine,
                            traffic,
                            transfers,
                            directory,
                            Optional.empty(),
                            agents,
                            steps,
                            problems));
            meters.engine(members.deployment(), ranks.counts());
            collector = new Collector(told, directory, "local", meters.collector());
            aggregator = new Aggregator(
                    told,
                    AggregatorSettings.DEFAULT,
                    meters.aggregator(),
                    cause -> problems.accept("the aggregator has stopped: " + cause));
            planner = new Planner(
                    told,
                    planning,
                    "local",
                    meters.planner(),
                    meters.plannerLoop(cause -> problems.accept("the planner has stopped: " + cause)));
            worker = new NodeWorker(told, directory, members.deployment(), meters.worker());
        } catch (RuntimeException e) {
            lifecycle.close();
            throw e;
        }
    }

    /**
     * Starts the roles and lets the ranks step; completes when the ranks stop, for whatever reason.
     *
     * @throws Lifecycle.Stopped when a stop comes meanwhile; {@link #close} then stops those that run
     */
    public CompletableFuture<Ending> start() {
        start("collector", collector, collector::start);
        start("aggregator", aggregator, aggregator::start);
        start("planner", planner, planner::start);
        start("worker", worker, worker::start);
        lifecycle.proceed();
        return ranks.start();
    }

    private void start(String name, AutoCloseable role, Runnable start) {
        lifecycle.proceed();
        lifecycle.started(name, role);
        start.run();
    }

    public void stopStepping() {
        ranks.stopStepping();
        ended = true;
    }

    /** When the ranks have stopped: waits until what they have gathered is with the broker, at most for a time. */
    public void drain(Duration longest) {
        long end = System.nanoTime() + longest.toNanos();
        while (System.nanoTime() < end && !collector.drained()) {
            LockSupport.parkNanos(LOOK.toNanos());
        }
        LockSupport.parkNanos(CLOSING_A_WINDOW.toNanos());
    }

    public Totals totals() {
        return ranks.totals();
    }

    /** What the steps would have taken on a device; empty where they are not timed. */
    public Optional<DeviceTotals> deviceTotals() {
        return ranks.deviceTotals();
    }

    /** Nanoseconds of the dispatch thread in our calls, per boundary and rank. */
    public Histogram boundaryNanos() {
        return ranks.boundaryNanos();
    }

    /** What must hold for this process to be ready. */
    public Map<String, BooleanSupplier> conditions() {
        return Map.of(
                "aggregator", aggregator::alive,
                "planner", planner::alive,
                "worker", meters::membersPublished,
                "worker-flow", worker::healthy,
                "worker-delivery", () -> worker.failingSince().isEmpty(),
                "collector", meters::ringRead,
                "collector-flow", collector::healthy,
                "collector-rings", () -> collector.unreadableRings().isEmpty(),
                "collector-delivery", () -> collector.failingSince().isEmpty());
    }

    /** Ends the incarnation in the topics when the ranks have stopped, then stops everything. */
    @Override
    public void close() {
        if (ended) {
            worker.end(END_TIMEOUT);
        }
        lifecycle.close();
    }
}
