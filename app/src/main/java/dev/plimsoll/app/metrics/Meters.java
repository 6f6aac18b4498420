package dev.plimsoll.app.metrics;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.device.AgentListener;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.wire.kafka.ClientListener;
import dev.plimsoll.wire.kafka.KafkaContact;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.worker.WorkerListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;

/**
 * All meters of a process, behind the listeners of the roles. The only place that names them; all begin with {@code plimsoll.}.
 *
 * <p>Tags are bounded: reasons are enums, deployments are few. Never an expert, a decision or a window.
 */
public final class Meters implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Meters.class);

    private static final String DROPPED = "plimsoll.samples.dropped";
    private static final String DROPPED_HELP = "Samples that never reached the broker.";

    /** Of this build. */
    public static final String VERSION = "0.1.0";

    private final PrometheusMeterRegistry registry = emptyRegistry();
    private final JvmGcMetrics collections = new JvmGcMetrics();
    private final ScheduledExecutorService housekeeping = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "plimsoll-meters");
        thread.setDaemon(true);
        return thread;
    });
    private final InstantSource clock;
    private final Series series;
    private final Series aggregated;
    private final Series planned;
    private final Series collected;
    private final Counter captured;
    private final Counter published;
    private final PlannerMeters planner;
    private final Watchdogs watchdogs;
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong droppedLoad = new AtomicLong();
    private final List<EngineCounts> asked = new CopyOnWriteArrayList<>();
    private volatile boolean ringRead;
    private volatile boolean membersPublished;

    public Meters() {
        this(InstantSource.system());
    }

    Meters(InstantSource clock) {
        this.clock = clock;
        series = new Series(registry, clock);
        aggregated = new Series(registry, clock);
        planned = new Series(registry, clock);
        collected = new Series(registry, clock);
        captured = series.counter("plimsoll.samples.captured", "Samples made of what the heat ring held.");
        published = series.counter("plimsoll.samples.published", "Samples that the broker has.");
        planner = new PlannerMeters(planned, new FlowMeters(registry, "planner"));
        watchdogs = new Watchdogs(aggregated, planned, new Series(registry, clock), clock);
        series.gauge("plimsoll.build.info", "Always 1; what runs here.", Tags.of("version", VERSION), 1);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        collections.bindTo(registry);
        // Workers and engines have one deployment for life, which may rightly have nothing to say for days.
        List.of(aggregated, planned, collected)
                .forEach(role -> housekeeping.scheduleWithFixedDelay(role::forgetEnded, 1, 1, TimeUnit.MINUTES));
    }

    /**
     * What the Kafka clients of a role tell, as meters.
     *
     * @param contact knows whether the cluster is away
     */
    public ClientListener kafka(String role, KafkaContact contact) {
        Gauge.builder("plimsoll.kafka.away", contact, known -> known.awaySince().isPresent() ? 1 : 0)
                .strongReference(true)
                .description("Whether the role's cluster does not answer.")
                .tags("role", role)
                .register(registry);
        return ClientListener.all(contact, new KafkaMeters(registry, role, housekeeping));
    }

    /** What must hold for the process to be ready, as meters. */
    public void ready(Map<String, BooleanSupplier> conditions) {
        conditions.forEach((name, holds) -> Gauge.builder(
                        "plimsoll.condition.holds", holds, condition -> condition.getAsBoolean() ? 1 : 0)
                .strongReference(true)
                .description("Whether a condition of /readyz holds.")
                .tags("condition", name)
                .register(registry));
    }

    /** A line for each deployment that a role here knows: when its data moved last, and what somebody has to look at. */
    public List<String> watched() {
        return watchdogs.lines();
    }

    private static PrometheusMeterRegistry emptyRegistry() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        registry.config().meterFilter(KafkaMeters.kept()).meterFilter(FlowMeters.words());
        return registry;
    }

    public PrometheusMeterRegistry registry() {
        return registry;
    }

    /** Samples made: each is published or dropped in the end. */
    public long captured() {
        return (long) captured.count();
    }

    public long published() {
        return (long) published.count();
    }

    /** Samples dropped, for whatever reason. */
    public long dropped() {
        return dropped.get();
    }

    /** Load of the samples dropped: tokens that no window will have. */
    public long droppedLoad() {
        return droppedLoad.get();
    }

    /** Whether the collector has found a ring to read. */
    public boolean ringRead() {
        return ringRead;
    }

    /** Whether the worker's deployment is in the topics. */
    public boolean membersPublished() {
        return membersPublished;
    }

    /** Windows that led to no decision, by reason. */
    public Map<String, Long> refused() {
        return planner.refused();
    }

    /** Meters of what the simulated ranks count themselves; read when asked. */
    public void engine(Deployment deployment, EngineCounts counts) {
        // Micrometer holds what it asks weakly: without this, the counters would be 0 after the next collection.
        asked.add(counts);
        Tags tags = series.of(deployment);
        io.micrometer.core.instrument.FunctionCounter.builder("plimsoll.steps", counts, EngineCounts::steps)
                .description("Forward steps.")
                .tags(tags)
                .register(registry);
        io.micrometer.core.instrument.FunctionCounter.builder("plimsoll.tokens", counts, EngineCounts::tokens)
                .description("Tokens routed by the ranks of this process.")
                .tags(tags)
                .register(registry);
        io.micrometer.core.instrument.FunctionCounter.builder(
                        "plimsoll.misrouted.tokens", counts, EngineCounts::misrouted)
                .description("Tokens computed with the weights of another expert. Must stay 0.")
                .tags(tags)
                .register(registry);
    }

    /** What an engine counts. */
    public interface EngineCounts {
        double steps();

        double tokens();

        double misrouted();
    }

    private static final String RINGS_ENDED = "plimsoll.collector.rings.ended";
    private static final String RINGS_ENDED_HELP = "Heat rings that were read to their end, by how they ended.";

    public CollectorListener collector() {
        series.zero(DROPPED, DROPPED_HELP, Tags.empty(), "reason", CollectorListener.Dropped.class);
        Counter missed = series.counter(
                "plimsoll.snapshots.missed", "Snapshots that the ring had overwritten before they were read.");
        Counter lost = series.counter("plimsoll.load.dropped", "Load of samples that never reached the broker.");
        Counter resets = series.counter("plimsoll.counter.resets", "Counters that went down.");
        Counter underWay = series.counter(
                "plimsoll.collector.started.under.way", "Starts beside ranks that had been stepping unseen.");
        Counter rings = series.counter("plimsoll.collector.rings.opened", "Heat rings that came and were opened.");
        Counter leaders = series.counter(
                "plimsoll.collector.leader.changes", "Times that another rank's ring began to stand for all ranks.");
        Counter finished = series.counter(
                "plimsoll.collector.deployments.finished",
                "Deployments whose rings had all ended, and that were let go.");
        Timer latency = series.timer(
                "plimsoll.sample.latency",
                "From the boundary at which a sample was captured to when the broker had it.",
                Tags.empty(),
                Series.LATENCY);
        series.zero(RINGS_ENDED, RINGS_ENDED_HELP, Tags.empty(), "reason", CollectorListener.RingEnd.class);
        FlowMeters flows = new FlowMeters(registry, "collector");
        return new CollectorListener() {
            @Override
            public <T> Flux<T> watched(Flux<T> flow) {
                return flows.tapped(flow);
            }

            @Override
            public Scheduler watched(Scheduler scheduler) {
                return flows.timed(scheduler);
            }

            @Override
            public void onServing(Deployment deployment, long incarnation) {
                LOG.info("collector: serves {}, incarnation {}", deployment, incarnation);
            }

            @Override
            public void onFinished(Deployment deployment, long incarnation) {
                finished.increment();
                collected.release(deployment);
                LOG.info("collector: {}, incarnation {}, has ended and is let go", deployment, incarnation);
            }

            @Override
            public void onRing(Deployment deployment, int rank, long incarnation) {
                ringRead = true;
                rings.increment();
                LOG.info("collector: reads the ring of rank {} of {}, incarnation {}", rank, deployment, incarnation);
            }

            @Override
            public void onRingEnded(Deployment deployment, int rank, RingEnd end) {
                series.counter(RINGS_ENDED, RINGS_ENDED_HELP, Tags.of("reason", Series.word(end)))
                        .increment();
                LOG.info(
                        "collector: read the ring of rank {} of {} to its end: {}", rank, deployment, Series.word(end));
            }

            @Override
            public void onLeader(Deployment deployment, int rank) {
                leaders.increment();
                LOG.info("collector: takes this node's ranks of {} from the ring of rank {}", deployment, rank);
            }

            @Override
            public void onCaptured(Deployment deployment, int samples, long step) {
                captured.increment(samples);
                collected.now(
                        "plimsoll.collector.last.sample.timestamp.seconds",
                        "When the last snapshot was read.",
                        collected.of(deployment));
            }

            @Override
            public void onPublished(long step, long capturedNanos) {
                published.increment();
                // Both are of this machine's clock; one that was set back in between is no reason for less than
                // nothing.
                latency.record(Duration.ofNanos(Math.max(0, clock.millis() * 1_000_000 - capturedNanos)));
            }

            @Override
            public void onDropped(Dropped reason, long step, long load) {
                dropped.incrementAndGet();
                droppedLoad.addAndGet(load);
                lost.increment(load);
                series.counter(DROPPED, DROPPED_HELP, Tags.of("reason", Series.word(reason)))
                        .increment();
            }

            @Override
            public void onMissed(long snapshots) {
                series.counter(
                                "plimsoll.snapshots.missed",
                                "Snapshots that the ring had overwritten before they were read.")
                        .increment(snapshots);
            }

            @Override
            public void onUnpublished(Deployment deployment, long incarnation) {
                LOG.warn(
                        "collector: samples of {} wait, as its membership of incarnation {} is not in the topics yet: is"
                                + " a worker running on this --ring-dir?",
                        deployment,
                        incarnation);
            }

            @Override
            public void onStandingBy(Path directory) {
                LOG.warn("collector: another collector serves {}; standing by", directory);
            }

            @Override
            public void onNothingThere(Path place) {
                LOG.warn(
                        "collector: no deployment in {} yet: it waits for a membership.avro there or in a directory"
                                + " below; is --ring-dir right?",
                        place);
            }

            @Override
            public void onIgnored(List<Path> rings) {
                LOG.warn(
                        "collector: does not read the heat rings {}: it reads rank-N.ring beside a membership.avro",
                        rings);
            }

            @Override
            public void onStartedUnderWay(long step) {
                underWay.increment();
                LOG.warn("collector: started under way; steps up to {} are in no sample", step);
            }

            @Override
            public void onReset(int rank, long step) {
                resets.increment();
                LOG.warn(
                        "collector: the counters of rank {} began anew; its steps before {} may be in no sample",
                        rank,
                        step);
            }

            @Override
            public void onTrouble(String what, Throwable cause) {
                LOG.warn("collector: {}: {}", what, cause.toString());
            }
        };
    }

    public AggregatorListener aggregator() {
        return new AggregatorMeters(aggregated, watchdogs.aggregator());
    }

    public PlannerListener planner() {
        series.resets("planner", 0);
        return Told.all(PlannerListener.class, List.of(planner, watchdogs.planner()));
    }

    /**
     * For the planner's loop: whether it is active, and how often it was thrown back.
     *
     * @param stopped told when the planner's loop has stopped for good
     */
    public PartitionLoop.Listener plannerLoop(Consumer<Throwable> stopped) {
        return Told.all(
                PartitionLoop.Listener.class,
                List.of(planner.loop(stopped), watchdogs.planner().loop()));
    }

    public WorkerListener worker() {
        return new WorkerMeters(
                series, new FlowMeters(registry, "worker"), watchdogs.worker(), () -> membersPublished = true);
    }

    public AgentListener agents() {
        Timer boundary = Timer.builder("plimsoll.boundary.duration")
                .description("Time of the engine's dispatch thread in our calls, per boundary and rank.")
                .serviceLevelObjectives(
                        Duration.ofNanos(10_000),
                        Duration.ofNanos(50_000),
                        Duration.ofNanos(100_000),
                        Duration.ofNanos(500_000),
                        Duration.ofMillis(1),
                        Duration.ofMillis(5),
                        Duration.ofMillis(50))
                .register(registry);
        Counter failed = series.counter("plimsoll.transfers.failed", "Exchanges of weights that failed.");
        Counter untimed = series.counter(
                "plimsoll.times.untold", "Times of steps and flips that a rank could not say, and went on without.");
        return new AgentListener() {
            @Override
            public void onBoundary(long step, long nanos) {
                boundary.record(Duration.ofNanos(nanos));
            }

            @Override
            public void onUntimed(String why) {
                untimed.increment();
            }

            @Override
            public void onTransferFailed(int epoch, int batch, String why) {
                failed.increment();
            }
        };
    }

    /** A role's loop was thrown back to what is committed. */
    public void resets(String role) {
        series.resets(role, 1);
    }

    @Override
    public void close() {
        housekeeping.shutdownNow();
        collections.close();
        registry.close();
    }
}
