package dev.plimsoll.app.metrics;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.worker.AgentListener;
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
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All meters of a process, behind the listeners of the roles. The only place that names them; all begin with {@code plimsoll.}.
 *
 * <p>Tags are bounded: reasons are enums, deployments are few. Never an expert, a decision or a window.
 */
public final class Meters implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Meters.class);

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics collections = new JvmGcMetrics();
    private final Map<String, AtomicLong> longGauges = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> doubleGauges = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> refusals = new ConcurrentHashMap<>();
    private final Counter captured = counter("plimsoll.samples.captured", "Samples made of what the heat ring held.");
    private final Counter published = counter("plimsoll.samples.published", "Samples that the broker has.");
    private final AtomicLong dropped = new AtomicLong();
    private volatile boolean ringRead;
    private volatile boolean membersPublished;

    public Meters() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        collections.bindTo(registry);
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
        Map<String, Long> counts = new TreeMap<>();
        refusals.forEach((reason, count) -> counts.put(reason, count.get()));
        return counts;
    }

    /** Meters of what the simulated ranks count themselves; read when asked. */
    public void engine(Deployment deployment, EngineCounts counts) {
        Tags tags = Tags.of("deployment", deployment.id());
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

    public CollectorListener collector() {
        return new CollectorListener() {
            @Override
            public void onRing(int rank, long incarnation) {
                ringRead = true;
            }

            @Override
            public void onCaptured(int samples, long step) {
                captured.increment(samples);
                now(
                        "plimsoll.collector.last.sample.timestamp.seconds",
                        "When the last snapshot was read.",
                        Tags.empty());
            }

            @Override
            public void onPublished(long step, long capturedNanos) {
                published.increment();
            }

            @Override
            public void onDropped(Dropped reason, long step) {
                dropped.incrementAndGet();
                counter(
                                "plimsoll.samples.dropped",
                                "Samples that never reached the broker.",
                                Tags.of("reason", word(reason)))
                        .increment();
            }

            @Override
            public void onMissed(long snapshots) {
                counter("plimsoll.snapshots.missed", "Snapshots that the ring had overwritten before they were read.")
                        .increment(snapshots);
            }

            @Override
            public void onReset(int rank, long step) {
                counter("plimsoll.counter.resets", "Counters that went down.").increment();
            }

            @Override
            public void onTrouble(String what, Throwable cause) {
                LOG.warn("collector: {}: {}", what, cause.toString());
            }
        };
    }

    public AggregatorListener aggregator() {
        return new AggregatorListener() {
            @Override
            public void windowClosed(WindowSummary window) {
                Tags tags = Tags.of("deployment", window.deployment().id());
                counter("plimsoll.windows", "Windows closed.", tags.and("completeness", word(window.reason())))
                        .increment();
                counter("plimsoll.samples.late", "Samples behind the first open window.", tags)
                        .increment(window.late());
                counter("plimsoll.load.unattributed", "Load that spanned a border or a flip.", tags)
                        .increment(window.unattributed());
                if (!window.conserved()) {
                    counter("plimsoll.windows.unconserved", "Windows in which tokens computed and routed differ.", tags)
                            .increment();
                }
                gauge(
                        "plimsoll.window.completeness.ratio",
                        "Cells present of those expected.",
                        tags,
                        window.completeness());
                if (window.balance().loaded()) {
                    String help = "Mean rank load over max rank load, as measured; over layers.";
                    gauge(
                            "plimsoll.balancedness.ratio",
                            help,
                            tags.and("stat", "mean"),
                            window.balance().mean());
                    gauge(
                            "plimsoll.balancedness.ratio",
                            help,
                            tags.and("stat", "min"),
                            window.balance().min());
                }
                now("plimsoll.last.window.timestamp.seconds", "When the last window closed.", tags);
            }

            @Override
            public void fate(Deployment deployment, Fate fate, long cells, long load) {
                counter(
                                "plimsoll.samples.received",
                                "Records of the samples topic, by what became of them.",
                                Tags.of("deployment", deployment.id(), "fate", word(fate)))
                        .increment();
            }

            @Override
            public void unreadable(Quarantined record) {
                counter(
                                "plimsoll.quarantined.records",
                                "Records that could not be read.",
                                Tags.of("topic", record.topic()))
                        .increment();
            }

            @Override
            public void committed(int partition, int outputs, Duration took) {
                timer("plimsoll.commit.duration", "Transactions, from begin to commit.", Tags.of("role", "aggregator"))
                        .record(took);
            }

            @Override
            public void reset(int partition, Throwable cause) {
                resets("aggregator");
            }
        };
    }

    public PlannerListener planner() {
        return new PlannerListener() {
            @Override
            public void planned(Deployment deployment, Duration took) {
                timer("plimsoll.planning.duration", "Policy and gate, per window.", of(deployment))
                        .record(took);
            }

            @Override
            public void refused(Deployment deployment, long windowIndex, KeepReason reason, Verdict.Numbers numbers) {
                refusals.computeIfAbsent(word(reason), key -> new AtomicLong()).incrementAndGet();
                counter(
                                "plimsoll.proposals.refused",
                                "Windows that led to no decision.",
                                of(deployment).and("reason", word(reason)))
                        .increment();
            }

            @Override
            public void proposed(PlanCommand.Propose propose) {
                Tags tags = of(propose.header().deployment());
                counter("plimsoll.proposals", "Decisions offered to the ranks.", tags.and("result", "published"))
                        .increment();
                gauge(
                        "plimsoll.predicted.balancedness.ratio",
                        "What the last proposal promised.",
                        tags,
                        propose.predictedBalancedness());
                now("plimsoll.last.decision.timestamp.seconds", "When the last decision was proposed.", tags);
            }

            @Override
            public void settled(PlanCommand.Settled settled, int moves) {
                Tags tags = of(settled.header().deployment());
                counter("plimsoll.decisions", "Decisions ended.", tags.and("result", "settled"))
                        .increment();
                counter("plimsoll.moves.applied", "Slots that got another expert.", tags)
                        .increment(moves);
                set("plimsoll.placement.version", "Version of the settled placement.", tags, settled.epoch());
            }

            @Override
            public void aborted(PlanCommand.Abort abort) {
                counter(
                                "plimsoll.decisions",
                                "Decisions ended.",
                                of(abort.header().deployment()).and("result", "aborted"))
                        .increment();
            }

            @Override
            public void outcome(Outcome outcome) {
                gauge(
                        "plimsoll.realised.balancedness.ratio",
                        "What came of the last settled decision.",
                        of(outcome.deployment()),
                        outcome.realised().mean());
            }

            @Override
            public void alarm(Deployment deployment, boolean quarantined, String text) {
                counter("plimsoll.alarms", "A person has to look.", of(deployment))
                        .increment();
            }
        };
    }

    public WorkerListener worker() {
        return new WorkerListener() {
            @Override
            public void onMembersPublished(long incarnation) {
                membersPublished = true;
            }

            @Override
            public void onAcked(RankAck ack) {
                counter(
                                "plimsoll.acks",
                                "Acks that the broker has.",
                                of(ack.deployment()).and("status", word(ack.kind())))
                        .increment();
            }

            @Override
            public void onTrouble(String what, Throwable cause) {
                LOG.warn("worker: {}: {}", what, cause.toString());
            }
        };
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
        return new AgentListener() {
            @Override
            public void onBoundary(long step, long nanos) {
                boundary.record(Duration.ofNanos(nanos));
            }

            @Override
            public void onRefused(int epoch, Refusal refusal, String detail) {
                counter("plimsoll.decisions.rejected", "Refusals by ranks.", Tags.of("reason", word(refusal)))
                        .increment();
            }

            @Override
            public void onTransferFailed(int epoch, int batch, String why) {
                counter("plimsoll.transfers.failed", "Exchanges of weights that failed.")
                        .increment();
            }
        };
    }

    /** A role's loop was thrown back to what is committed. */
    public void resets(String role) {
        counter("plimsoll.resets", "Partitions recovered after a failure.", Tags.of("role", role))
                .increment();
    }

    private static Tags of(Deployment deployment) {
        return Tags.of("deployment", deployment.id());
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private Counter counter(String name, String help) {
        return counter(name, help, Tags.empty());
    }

    private Counter counter(String name, String help, Tags tags) {
        return Counter.builder(name).description(help).tags(tags).register(registry);
    }

    private Timer timer(String name, String help, Tags tags) {
        return Timer.builder(name)
                .description(help)
                .tags(tags)
                .serviceLevelObjectives(
                        Duration.ofMillis(1),
                        Duration.ofMillis(5),
                        Duration.ofMillis(20),
                        Duration.ofMillis(100),
                        Duration.ofSeconds(1))
                .register(registry);
    }

    private void now(String name, String help, Tags tags) {
        gauge(name, help, tags, System.currentTimeMillis() / 1000.0);
    }

    private void set(String name, String help, Tags tags, long value) {
        longGauges
                .computeIfAbsent(name + tags, key -> {
                    AtomicLong held = new AtomicLong();
                    Gauge.builder(name, held, AtomicLong::get)
                            .description(help)
                            .tags(tags)
                            .register(registry);
                    return held;
                })
                .set(value);
    }

    private void gauge(String name, String help, Tags tags, double value) {
        doubleGauges
                .computeIfAbsent(name + tags, key -> {
                    AtomicLong bits = new AtomicLong();
                    Gauge.builder(name, bits, held -> Double.longBitsToDouble(held.get()))
                            .description(help)
                            .tags(tags)
                            .register(registry);
                    return bits;
                })
                .set(Double.doubleToLongBits(value));
    }

    @Override
    public void close() {
        collections.close();
        registry.close();
    }
}
