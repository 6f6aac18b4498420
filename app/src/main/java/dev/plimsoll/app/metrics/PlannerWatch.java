package dev.plimsoll.app.metrics;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.PlannerListener;
import dev.plimsoll.planner.Standing;
import dev.plimsoll.planner.Standing.Word;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.wire.kafka.PartitionLoop;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * When a planner last heard of windows and ranks of each deployment, last judged and settled something, and how the deployment stands.
 * A planner that hangs tells nothing any more, and its last words age. Any thread.
 */
final class PlannerWatch implements PlannerListener {
    /** More need no names: that they are many says it. */
    private static final int MOST_NAMES = 16;

    /** Behind such a silence the series may have been forgotten: how the deployment stands is told again, though it is the same. */
    private static final Duration TOLD_AGAIN = Series.FORGOTTEN_AFTER.minusHours(1);

    /** The last time of each thing, and how it stands. */
    private static final class Seen {
        private final int partition;
        private OptionalLong window = OptionalLong.empty();
        private OptionalLong plan = OptionalLong.empty();
        private OptionalLong ack = OptionalLong.empty();
        private OptionalLong settled = OptionalLong.empty();
        private long heardMillis = Long.MIN_VALUE / 2;
        private Optional<Standing> standing = Optional.empty();
        /** Whether the planner has called for a person since the decision in flight began to stop. */
        private boolean overdue;

        boolean stopping() {
            return standing.filter(now -> now.is(Word.ABORTING)).isPresent();
        }

        Seen(int partition) {
            this.partition = partition;
        }
    }

    private final Series series;
    private final InstantSource clock;
    private final Map<Deployment, Seen> seen = new TreeMap<>();

    PlannerWatch(Series series, InstantSource clock) {
        this.series = series;
        this.clock = clock;
    }

    @Override
    public synchronized void serving(int partition, Deployment deployment) {
        seen.put(deployment, new Seen(partition));
    }

    @Override
    public void heard(WindowSummary window) {
        told(
                window.deployment(),
                "plimsoll.planner.last.window.timestamp.seconds",
                "When the planner read the last window.",
                of -> of.window = now());
    }

    @Override
    public void heard(RankAck ack) {
        told(
                ack.deployment(),
                "plimsoll.planner.last.ack.timestamp.seconds",
                "When the planner read the last ack.",
                of -> of.ack = now());
    }

    @Override
    public void refused(Deployment deployment, long windowIndex, Verdict.Keep keep) {
        judged(deployment);
    }

    @Override
    public void proposed(PlanCommand.Propose propose) {
        judged(propose.header().deployment());
    }

    private void judged(Deployment deployment) {
        told(
                deployment,
                "plimsoll.last.plan.timestamp.seconds",
                "When the planner last came to a verdict about a window, be it that nothing may be decided.",
                of -> of.plan = now());
    }

    @Override
    public void settled(PlanCommand.Settled settled, int moves) {
        told(
                settled.header().deployment(),
                "plimsoll.last.settlement.timestamp.seconds",
                "When the last decision settled.",
                of -> of.settled = now());
    }

    /** What others decided before a take-over is not for us to tell the age of. */
    private synchronized void told(
            Deployment deployment, String name, String help, Function<Seen, OptionalLong> setting) {
        Seen of = seen(deployment);
        if (of.heardMillis < now().getAsLong() - TOLD_AGAIN.toMillis()) {
            of.standing = Optional.empty();
        }
        of.heardMillis = now().getAsLong();
        OptionalLong at = setting.apply(of);
        series.gauge(name, help, series.of(deployment), at.orElseThrow() / 1e3);
    }

    private OptionalLong now() {
        return OptionalLong.of(clock.millis());
    }

    /** Ranks have not said within their deadline how far a decision that was stopped has got: told again and again until they do. */
    @Override
    public synchronized void alarm(Deployment deployment, boolean quarantined, String text) {
        Seen of = seen(deployment);
        if (of.stopping()) {
            of.overdue = true;
            tellOverdue(deployment, of);
        }
    }

    @Override
    public synchronized void stands(Standing standing) {
        Seen of = seen(standing.deployment());
        if (of.standing.filter(standing::equals).isPresent()) {
            return;
        }
        boolean stopsAsBefore =
                of.stopping() && of.standing.orElseThrow().decision().equals(standing.decision());
        of.standing = Optional.of(standing);
        of.overdue &= stopsAsBefore && of.stopping();
        Tags tags = series.of(standing.deployment());
        for (Word word : Word.values()) {
            series.set(
                    "plimsoll.deployment.state",
                    "1 for each word that says how the deployment stands at its planner.",
                    tags.and("state", Series.word(word)),
                    standing.is(word) ? 1 : 0);
        }
        series.set(
                "plimsoll.ranks.awaited",
                "Ranks that the decision in flight waits for.",
                tags,
                standing.awaited().size());
        series.gauge(
                "plimsoll.paused.since.timestamp.seconds",
                "Since when the deployment is paused, by the clock of who paused it; 0 where it is not.",
                tags,
                standing.pausedSinceMillis().orElse(0) / 1e3);
        series.gauge(
                "plimsoll.unanswered.since.timestamp.seconds",
                "When the oldest command was given that the planner has not answered, by the clock of who gave it; 0 where it has answered all.",
                tags,
                standing.unansweredSinceMillis().orElse(0) / 1e3);
        tellOverdue(standing.deployment(), of);
    }

    private void tellOverdue(Deployment deployment, Seen of) {
        series.set(
                "plimsoll.decision.overdue",
                "Whether a decision waits for ranks beyond its deadline, in boundaries that they have passed.",
                series.of(deployment),
                of.overdue ? 1 : 0);
    }

    private Seen seen(Deployment deployment) {
        return seen.computeIfAbsent(deployment, none -> new Seen(-1));
    }

    /** Lets go of what another planner tells of from now on. */
    PartitionLoop.Listener loop() {
        return new PartitionLoop.Listener() {
            @Override
            public void onRevoked(int partition) {
                revoked(partition);
            }
        };
    }

    private synchronized void revoked(int partition) {
        seen.entrySet().removeIf(entry -> {
            boolean gone = entry.getValue().partition == partition;
            if (gone) {
                series.release(entry.getKey());
            }
            return gone;
        });
    }

    synchronized Stream<WatchLine> lines() {
        long now = clock.millis();
        return seen.entrySet().stream().map(of -> line(of.getKey(), of.getValue(), now)).toList().stream();
    }

    private static WatchLine line(Deployment deployment, Seen of, long now) {
        String ages = "window " + Ages.ago(of.window, now) + ", verdict " + Ages.ago(of.plan, now) + ", ack "
                + Ages.ago(of.ack, now) + ", settled " + Ages.ago(of.settled, now);
        if (of.standing.isEmpty()) {
            return WatchLine.well(deployment, ages);
        }
        Standing standing = of.standing.get();
        String text = words(standing) + (of.overdue ? ", overdue" : "") + "; " + ages;
        if (standing.is(Word.QUARANTINED)) {
            return WatchLine.wrong(deployment, text, "DeploymentIsQuarantined");
        }
        if (standing.is(Word.OBSERVE_ONLY)) {
            return WatchLine.wrong(deployment, text, "ObserveOnly");
        }
        return of.overdue ? WatchLine.wrong(deployment, text, "DecisionIsOverdue") : WatchLine.well(deployment, text);
    }

    private static String words(Standing standing) {
        String words = standing.words().stream().sorted().map(Series::word).collect(Collectors.joining(", "));
        String waits = standing.awaited().isEmpty()
                ? ""
                : ", waits for "
                        + standing.awaited().stream()
                                .limit(MOST_NAMES)
                                .map(RankId::toString)
                                .collect(Collectors.joining(", "))
                        + (standing.awaited().size() > MOST_NAMES ? " and more" : "");
        return "v" + standing.version() + " " + words
                + (standing.decision().isPresent()
                        ? " of decision " + standing.decision().getAsInt()
                        : "")
                + waits
                + (standing.why().isEmpty() ? "" : " (" + standing.why() + ")");
    }
}
