package dev.plimsoll.app.metrics;

import static dev.plimsoll.app.metrics.Series.word;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.planner.PlanDrop;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.WindowJoin;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Effect;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.PartitionLoop;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/** What a planner and its loop tell, as meters. */
final class PlannerMeters implements PlannerListener {
    private static final Duration[] APPLY = {
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofMillis(2_500),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        Duration.ofSeconds(60)
    };
    private static final double[] MOVES = {1, 4, 16, 64, 256, 1_024, 4_096};
    private static final String REFUSED = "plimsoll.proposals.refused";
    private static final String REFUSED_HELP = "Windows that led to no decision.";
    private static final String PROPOSALS = "plimsoll.proposals";
    private static final String PROPOSALS_HELP = "Decisions offered to the ranks.";
    private static final String DECISIONS = "plimsoll.decisions";
    private static final String DECISIONS_HELP =
            "What became of decisions: settled and voided are ends, aborted comes before either.";
    private static final String APPLIED = "plimsoll.moves.applied";
    private static final String APPLIED_HELP = "Slots that got another expert.";

    private static final String PLANS_DROPPED = "plimsoll.plans.dropped";
    private static final String PLANS_DROPPED_HELP =
            "Plans that were wanted and led to nothing, not even to a refusal.";

    /** A decision that was proposed by this process and has not ended. */
    private record Pending(int epoch, long sinceNanos) {}

    private final Series series;
    private final FlowMeters flows;
    private final Map<String, AtomicLong> refusals = new ConcurrentHashMap<>();
    private final Set<Tags> seen = ConcurrentHashMap.newKeySet();
    private final Map<Deployment, Pending> pending = new ConcurrentHashMap<>();
    private final Map<Integer, Set<Deployment>> served = new ConcurrentHashMap<>();

    PlannerMeters(Series series, FlowMeters flows) {
        this.series = series;
        this.flows = flows;
    }

    /** Windows that led to no decision, by reason. */
    Map<String, Long> refused() {
        Map<String, Long> counts = new TreeMap<>();
        refusals.forEach((reason, count) -> counts.put(reason, count.get()));
        return counts;
    }

    @Override
    public void serving(int partition, Deployment deployment) {
        served.computeIfAbsent(partition, none -> ConcurrentHashMap.newKeySet()).add(deployment);
    }

    /** Another planner tells of them from now on; this one's last word would stand beside its. */
    private void release(int partition) {
        Set<Deployment> deployments = served.remove(partition);
        if (deployments != null) {
            deployments.forEach(deployment -> {
                pending.remove(deployment);
                seen.remove(Tags.of("deployment", deployment.id()));
                series.release(deployment);
            });
        }
    }

    @Override
    public void planned(Deployment deployment, Duration took) {
        Tags tags = tags(deployment);
        series.timer("plimsoll.planning.duration", "Policy and gate, per window.", tags, Series.SHORT)
                .record(took);
    }

    @Override
    public void refused(Deployment deployment, long windowIndex, Verdict.Keep keep) {
        refusals.computeIfAbsent(word(keep.reason()), key -> new AtomicLong()).incrementAndGet();
        series.counter(REFUSED, REFUSED_HELP, tags(deployment).and("reason", word(keep.reason())))
                .increment();
    }

    @Override
    public void proposed(PlanCommand.Propose propose) {
        Deployment deployment = propose.header().deployment();
        Tags tags = tags(deployment);
        series.counter(PROPOSALS, PROPOSALS_HELP, tags.and("result", "published"))
                .increment();
        series.summary("plimsoll.plan.moves", "Slots that a proposal gives another expert.", tags, MOVES)
                .record(propose.moves().size());
        series.gauge(
                "plimsoll.predicted.balancedness.ratio",
                "What the last proposal promised.",
                tags,
                propose.predictedBalancedness());
        series.now("plimsoll.last.decision.timestamp.seconds", "When the last decision was proposed.", tags);
        pending.compute(
                deployment,
                (key, before) -> before != null && before.epoch() == propose.epoch()
                        ? before
                        : new Pending(propose.epoch(), System.nanoTime()));
        pending(tags, 1);
    }

    @Override
    public void settled(PlanCommand.Settled settled, int moves) {
        Deployment deployment = settled.header().deployment();
        Tags tags = tags(deployment);
        series.counter(DECISIONS, DECISIONS_HELP, tags.and("result", "settled")).increment();
        series.counter(APPLIED, APPLIED_HELP, tags).increment(moves);
        series.set("plimsoll.placement.version", "Version of the settled placement.", tags, settled.epoch());
        Pending begun = pending.remove(deployment);
        if (begun != null && begun.epoch() == settled.epoch()) {
            series.timer("plimsoll.apply.latency", "From the proposal to the settled decision.", tags, APPLY)
                    .record(Duration.ofNanos(System.nanoTime() - begun.sinceNanos()));
        }
        pending(tags, 0);
    }

    @Override
    public void aborted(PlanCommand.Abort abort) {
        series.counter(
                        DECISIONS,
                        DECISIONS_HELP,
                        tags(abort.header().deployment()).and("result", "aborted"))
                .increment();
    }

    @Override
    public void voided(PlanCommand.Void end) {
        Tags tags = tags(end.header().deployment());
        series.counter(DECISIONS, DECISIONS_HELP, tags.and("result", "voided")).increment();
        pending.remove(end.header().deployment());
        pending(tags, 0);
    }

    @Override
    public void outcome(Outcome outcome) {
        if (!outcome.realised().loaded()) {
            return;
        }
        Tags tags = tags(outcome.deployment());
        double realised = outcome.realised().mean();
        series.gauge("plimsoll.realised.balancedness.ratio", "What came of the last settled decision.", tags, realised);
        // Of a decision that was flipped in part nothing was predicted; of one whose placement before is not known,
        // both are there.
        if (outcome.promisedGain().isPresent() || outcome.measured().isEmpty()) {
            series.gauge(
                    "plimsoll.prediction.error.ratio",
                    "Predicted less realised balancedness of the last settled decision.",
                    tags,
                    outcome.predicted() - realised);
        }
        outcome.measured().ifPresent(gain -> gained(tags, outcome, gain));
    }

    private void gained(Tags tags, Outcome outcome, MeasuredGain gain) {
        series.gauge(
                "plimsoll.measured.gain.ratio",
                "Part of expert time, or of the busiest ranks' load, that the last settled decision saves on the same tokens.",
                tags,
                gain.gain());
        series.gauge(
                "plimsoll.measured.balancedness.ratio",
                "Mean balancedness of the windows since the last settled decision, with it and without it.",
                tags.and("placement", "with"),
                gain.balancednessWith());
        series.gauge(
                "plimsoll.measured.balancedness.ratio",
                "Mean balancedness of the windows since the last settled decision, with it and without it.",
                tags.and("placement", "without"),
                gain.balancednessWithout());
        outcome.promisedGain()
                .ifPresent(promised -> series.gauge(
                        "plimsoll.delivered.gain.ratio",
                        "Measured ÷ promised gain of the last settled decision.",
                        tags,
                        promised > 0 ? gain.gain() / promised : 0));
    }

    /** Not at 0 from the first sight on, as others: eleven actions with three verdicts each, of what people seldom do. */
    @Override
    public void answered(Control asked, ControlAnswer answer) {
        series.counter(
                        "plimsoll.commands.answered",
                        "Commands of operators by what came of them.",
                        tags(answer.deployment())
                                .and("action", asked.action().word())
                                .and("verdict", word(answer.verdict())))
                .increment();
    }

    @Override
    public void learned(Deployment deployment, String policy, Experience experience) {
        Tags tags = tags(deployment);
        series.gauge(
                "plimsoll.experience.delivered.ratio",
                "Part of what the policy promised that came, over its earlier decisions; gains are counted so.",
                tags,
                experience.delivered());
        series.gauge(
                "plimsoll.experience.noise.ratio",
                "Gain below which what earlier decisions brought could not be told from nothing.",
                tags,
                experience.noise());
        experience
                .lastingWindows()
                .ifPresent(windows -> series.gauge(
                        "plimsoll.experience.horizon.windows",
                        "Windows that gains of earlier decisions lasted: the horizon over which the next must pay for itself.",
                        tags,
                        windows));
    }

    @Override
    public void planDropped(Deployment deployment, long windowIndex, PlanDrop reason) {
        series.counter(PLANS_DROPPED, PLANS_DROPPED_HELP, tags(deployment).and("reason", word(reason)))
                .increment();
    }

    @Override
    public <T> Mono<T> watched(Mono<T> plan) {
        return flows.tapped(plan);
    }

    @Override
    public Scheduler watched(Scheduler scheduler) {
        return flows.timed(scheduler);
    }

    @Override
    public void alarm(Deployment deployment, boolean quarantined, String text) {
        series.counter("plimsoll.alarms", "A person has to look.", tags(deployment))
                .increment();
    }

    @Override
    public void ignored(Deployment deployment, Effect.IgnoreReason reason) {
        series.counter(
                        "plimsoll.acks.ignored",
                        "Acks and events that changed nothing.",
                        tags(deployment).and("reason", word(reason)))
                .increment();
    }

    @Override
    public void dropped(Deployment deployment, WindowJoin.Drop reason, int windows) {
        series.counter(
                        "plimsoll.windows.dropped",
                        "Windows whose records could not be put together.",
                        tags(deployment).and("reason", word(reason)))
                .increment(windows);
    }

    @Override
    public void unreadable(int partition) {
        series.unreadable(Topic.WINDOWS.name(), 1);
    }

    /** What the planner's loop tells: whether it has anything to decide, and what it cannot work on. */
    PartitionLoop.Listener loop(Consumer<Throwable> stopped) {
        Set<Integer> owned = ConcurrentHashMap.newKeySet();
        active(owned);
        series.quarantined("planner", 0);
        return new PartitionLoop.Listener() {
            @Override
            public void onAssigned(int partition) {
                owned.add(partition);
                active(owned);
            }

            @Override
            public void onRevoked(int partition) {
                owned.remove(partition);
                release(partition);
                active(owned);
            }

            @Override
            public void onReset(int partition, Throwable cause) {
                series.resets("planner", 1);
            }

            @Override
            public void onQuarantined(int partition, Throwable cause) {
                series.quarantined("planner", 1);
            }

            @Override
            public void onStopped(Throwable cause) {
                stopped.accept(cause);
            }
        };
    }

    private void active(Set<Integer> owned) {
        series.set(
                "plimsoll.planner.active",
                "Whether this planner owns a partition; over all planners, at least one must.",
                Tags.empty(),
                owned.isEmpty() ? 0 : 1);
    }

    private void pending(Tags tags, int decisions) {
        series.set(
                "plimsoll.decisions.pending",
                "Decisions that this process proposed and that have not ended.",
                tags,
                decisions);
    }

    /** The deployment's tag; what can happen to it stands at 0 from its first sight on. */
    private Tags tags(Deployment deployment) {
        Tags tags = series.of(deployment);
        if (seen.add(tags)) {
            series.zero(REFUSED, REFUSED_HELP, tags, "reason", KeepReason.class);
            series.zero(PLANS_DROPPED, PLANS_DROPPED_HELP, tags, "reason", PlanDrop.class);
            series.counter(PROPOSALS, PROPOSALS_HELP, tags.and("result", "published"));
            for (String result : new String[] {"settled", "voided", "aborted"}) {
                series.counter(DECISIONS, DECISIONS_HELP, tags.and("result", result));
            }
            series.counter(APPLIED, APPLIED_HELP, tags);
            pending(tags, 0);
        }
        return tags;
    }
}
