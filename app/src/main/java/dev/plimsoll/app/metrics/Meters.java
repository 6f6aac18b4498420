package dev.plimsoll.app.metrics;

import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.collector.CollectorListener;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.worker.AgentListener;
import dev.plimsoll.worker.WorkerListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
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
    private final Series series = new Series(registry);
    private final Map<String, AtomicLong> refusals = new ConcurrentHashMap<>();
    private final Counter captured =
            series.counter("plimsoll.samples.captured", "Samples made of what the heat ring held.");
    private final Counter published = series.counter("plimsoll.samples.published", "Samples that the broker has.");
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

    public CollectorListener collector() {
        return new CollectorListener() {
            @Override
            public void onRing(int rank, long incarnation) {
                ringRead = true;
            }

            @Override
            public void onCaptured(int samples, long step) {
                captured.increment(samples);
                series.now(
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
                series.counter(
                                "plimsoll.samples.dropped",
                                "Samples that never reached the broker.",
                                Tags.of("reason", Series.word(reason)))
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
            public void onReset(int rank, long step) {
                series.counter("plimsoll.counter.resets", "Counters that went down.")
                        .increment();
            }

            @Override
            public void onTrouble(String what, Throwable cause) {
                LOG.warn("collector: {}: {}", what, cause.toString());
            }
        };
    }

    public AggregatorListener aggregator() {
        return new AggregatorMeters(series);
    }

    public PlannerListener planner() {
        return new PlannerListener() {
            @Override
            public void planned(Deployment deployment, Duration took) {
                series.timer(
                                "plimsoll.planning.duration",
                                "Policy and gate, per window.",
                                series.of(deployment),
                                Series.SHORT)
                        .record(took);
            }

            @Override
            public void refused(Deployment deployment, long windowIndex, KeepReason reason, Verdict.Numbers numbers) {
                refusals.computeIfAbsent(Series.word(reason), key -> new AtomicLong())
                        .incrementAndGet();
                series.counter(
                                "plimsoll.proposals.refused",
                                "Windows that led to no decision.",
                                series.of(deployment).and("reason", Series.word(reason)))
                        .increment();
            }

            @Override
            public void proposed(PlanCommand.Propose propose) {
                Tags tags = series.of(propose.header().deployment());
                series.counter("plimsoll.proposals", "Decisions offered to the ranks.", tags.and("result", "published"))
                        .increment();
                series.gauge(
                        "plimsoll.predicted.balancedness.ratio",
                        "What the last proposal promised.",
                        tags,
                        propose.predictedBalancedness());
                series.now("plimsoll.last.decision.timestamp.seconds", "When the last decision was proposed.", tags);
            }

            @Override
            public void settled(PlanCommand.Settled settled, int moves) {
                Tags tags = series.of(settled.header().deployment());
                series.counter("plimsoll.decisions", "Decisions ended.", tags.and("result", "settled"))
                        .increment();
                series.counter("plimsoll.moves.applied", "Slots that got another expert.", tags)
                        .increment(moves);
                series.set("plimsoll.placement.version", "Version of the settled placement.", tags, settled.epoch());
            }

            @Override
            public void aborted(PlanCommand.Abort abort) {
                series.counter(
                                "plimsoll.decisions",
                                "Decisions ended.",
                                series.of(abort.header().deployment()).and("result", "aborted"))
                        .increment();
            }

            @Override
            public void outcome(Outcome outcome) {
                series.gauge(
                        "plimsoll.realised.balancedness.ratio",
                        "What came of the last settled decision.",
                        series.of(outcome.deployment()),
                        outcome.realised().mean());
            }

            @Override
            public void alarm(Deployment deployment, boolean quarantined, String text) {
                series.counter("plimsoll.alarms", "A person has to look.", series.of(deployment))
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
                series.counter(
                                "plimsoll.acks",
                                "Acks that the broker has.",
                                series.of(ack.deployment()).and("status", Series.word(ack.kind())))
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
                series.counter(
                                "plimsoll.decisions.rejected",
                                "Refusals by ranks.",
                                Tags.of("reason", Series.word(refusal)))
                        .increment();
            }

            @Override
            public void onTransferFailed(int epoch, int batch, String why) {
                series.counter("plimsoll.transfers.failed", "Exchanges of weights that failed.")
                        .increment();
            }
        };
    }

    /** A role's loop was thrown back to what is committed. */
    public void resets(String role) {
        series.resets(role);
    }

    @Override
    public void close() {
        collections.close();
        registry.close();
    }
}
