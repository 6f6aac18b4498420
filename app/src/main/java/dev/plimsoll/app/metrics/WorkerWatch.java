package dev.plimsoll.app.metrics;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import io.micrometer.core.instrument.Tags;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a worker sees of its node's ranks of one deployment: whether they step, hear, serve what the plan log says, and whether what they
 * say reaches the broker. Any thread.
 */
final class WorkerWatch {
    private static final String DEAF = "plimsoll.ranks.deaf";
    private static final String DEAF_HELP =
            "Ranks of this node that hear no order any more, for which the worker answers.";
    private static final String OFF = "plimsoll.ranks.off.version";
    private static final String OFF_HELP =
            "Ranks of this node that serve another placement than the one that is settled, while nothing is in flight.";
    private static final String UNPUBLISHED = "plimsoll.acks.unpublished";
    private static final String UNPUBLISHED_HELP = "Acks that the broker has refused to take so far.";

    /** What makes two acks the same. */
    private record Ack(int epoch, RankAck.Kind kind, int batch) {}

    private final Series series;
    private final InstantSource clock;
    private final Set<WorkerWatch> all;
    private final Map<RankId, Long> steps = new TreeMap<>();
    private final Set<RankId> off = new TreeSet<>();
    private final Set<RankId> deaf = new TreeSet<>();
    private final Map<RankId, Set<Ack>> unpublished = new TreeMap<>();
    private Optional<Deployment> served = Optional.empty();
    private OptionalLong steppedMillis = OptionalLong.empty();
    private OptionalLong ackedMillis = OptionalLong.empty();

    /**
     * @param series with nothing else of the deployment in it that is to outlive this
     * @param all those that serve a deployment
     */
    WorkerWatch(Series series, InstantSource clock, Set<WorkerWatch> all) {
        this.series = series;
        this.clock = clock;
        this.all = all;
    }

    /** Another incarnation begins: what was seen of the one before says nothing of it. */
    synchronized void serving(Deployment deployment) {
        released();
        served = Optional.of(deployment);
        all.add(this);
        tellRanks(deployment);
    }

    /** The worker has closed. */
    synchronized void released() {
        served.ifPresent(series::forget);
        all.remove(this);
        served = Optional.empty();
        steps.clear();
        off.clear();
        deaf.clear();
        unpublished.clear();
        steppedMillis = OptionalLong.empty();
        ackedMillis = OptionalLong.empty();
    }

    /** Looked at hundreds of times a second: tells only what is new. */
    synchronized void state(RankId rank, RankState state, long step, OptionalInt wanted) {
        if (served.isEmpty()) {
            return;
        }
        Long before = steps.put(rank, step);
        if (before != null && step > before) {
            steppedMillis = OptionalLong.of(clock.millis());
            series.gauge(
                    "plimsoll.last.step.timestamp.seconds",
                    "When a rank of this node was last seen to have passed a boundary.",
                    tags(),
                    clock.millis() / 1e3);
        }
        boolean changed = wanted.isPresent() && !serves(state, wanted.getAsInt()) ? off.add(rank) : off.remove(rank);
        if (changed) {
            tellRanks(served.get());
        }
    }

    /** What it has flipped of the last decision it serves, whether or not it has heard that this is settled. */
    private static boolean serves(RankState state, int version) {
        return state.settledVersion() == version
                || state.epoch() == version && (state.phase() == RankPhase.DONE || state.phase() == RankPhase.ABORTED);
    }

    synchronized void deaf(RankId rank) {
        deaf.add(rank);
        served.ifPresent(this::tellRanks);
    }

    synchronized void delayed(RankAck ack) {
        unpublished.computeIfAbsent(ack.rank(), none -> new HashSet<>()).add(of(ack));
        forgetOlder(ack);
        served.ifPresent(this::tellRanks);
    }

    synchronized void acked(RankAck ack) {
        ackedMillis = OptionalLong.of(clock.millis());
        series.gauge(
                "plimsoll.last.ack.timestamp.seconds",
                "When the broker got the last ack.",
                series.of(ack.deployment()),
                clock.millis() / 1e3);
        Set<Ack> waiting = unpublished.get(ack.rank());
        if (waiting != null) {
            waiting.remove(of(ack));
            forgetOlder(ack);
            served.ifPresent(this::tellRanks);
        }
    }

    /** A rank speaks of one decision at a time: what it said of an earlier one is not tried any more. */
    private void forgetOlder(RankAck ack) {
        unpublished.getOrDefault(ack.rank(), Set.of()).removeIf(waiting -> waiting.epoch() < ack.epoch());
    }

    private static Ack of(RankAck ack) {
        return new Ack(ack.epoch(), ack.kind(), ack.batch());
    }

    private Tags tags() {
        return series.of(served.orElseThrow());
    }

    private void tellRanks(Deployment deployment) {
        Tags tags = series.of(deployment);
        series.set(DEAF, DEAF_HELP, tags, deaf.size());
        series.set(OFF, OFF_HELP, tags, off.size());
        series.set(UNPUBLISHED, UNPUBLISHED_HELP, tags, waiting());
    }

    private long waiting() {
        return unpublished.values().stream().mapToLong(Set::size).sum();
    }

    synchronized Stream<WatchLine> lines() {
        return served.map(this::line).stream();
    }

    private WatchLine line(Deployment deployment) {
        long now = clock.millis();
        String text = steps.size() + " ranks here, step " + Ages.ago(steppedMillis, now) + ", ack "
                + Ages.ago(ackedMillis, now);
        if (!deaf.isEmpty()) {
            return WatchLine.wrong(deployment, text + ", deaf " + names(deaf), "RanksAreDeaf");
        }
        if (waiting() > 0) {
            return WatchLine.wrong(deployment, text + ", " + waiting() + " acks unpublished", "AcksAreNotPublished");
        }
        return off.isEmpty()
                ? WatchLine.well(deployment, text)
                : WatchLine.wrong(deployment, text + ", off the settled version " + names(off), "RanksAreOffVersion");
    }

    private static String names(Set<RankId> ranks) {
        return ranks.stream().limit(16).map(RankId::toString).collect(Collectors.joining(", "))
                + (ranks.size() > 16 ? " and more" : "");
    }
}
