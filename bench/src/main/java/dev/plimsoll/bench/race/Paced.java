package dev.plimsoll.bench.race;

import dev.plimsoll.wire.WireException;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;

/**
 * One contestant while samples come at a fixed pace: how long from the append of what decides a window until a reader of committed
 * records has its summary, and how long after kill -9 and a start at once the next window is there.
 */
final class Paced {
    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration JOIN = Duration.ofSeconds(60);
    private static final Duration RECOVER = Duration.ofSeconds(90);
    private static final Duration DRAIN = Duration.ofSeconds(60);
    private static final Duration SETTLE = Duration.ofSeconds(30);
    private static final long SETTLED_MILLIS = 500;
    private static final double MEDIAN = 50;
    private static final double NINETY_NINE = 99;
    private static final long SILENT_POLLS = 4;

    /**
     * What it took.
     *
     * @param windows whose latency was measured
     * @param restartMillis from the start of the new process until every deployment had a window that was not there before; empty for
     *     who does not recover
     * @param mostBehindMillis how much the harness itself was behind its pace at worst
     * @param faults empty when every window is exact, those around the kill too
     */
    record Result(
            long windows,
            double p50Millis,
            double p99Millis,
            OptionalDouble restartMillis,
            long mostBehindMillis,
            List<String> faults) {
        Result {
            faults = List.copyOf(faults);
        }
    }

    /** Makes the contestant's process. */
    interface Start {
        Racer make() throws IOException;
    }

    private final Arena arena;
    private final RaceShape shape;
    private final List<DeploymentLog> logs;
    private final Sightings sightings;
    private final Map<Pacer.Window, Long> seen = new HashMap<>();

    private Paced(Arena arena, RaceShape shape, List<DeploymentLog> logs, Sightings sightings) {
        this.arena = arena;
        this.shape = shape;
        this.logs = logs;
        this.sightings = sightings;
    }

    static Result run(
            Arena arena,
            RaceShape shape,
            List<DeploymentLog> logs,
            Contestant contestant,
            Start start,
            Duration warmUp,
            Duration measured)
            throws IOException, InterruptedException, WireException {
        try (SampleFeed feed = new SampleFeed(arena.bootstrapServers(), shape.partitions());
                Sightings sightings =
                        new Sightings(arena.bootstrapServers(), contestant.summaries(), shape.partitions())) {
            return new Paced(arena, shape, logs, sightings)
                    .run(contestant, start, new Pacer(shape, logs, feed), warmUp, measured);
        }
    }

    private Result run(Contestant contestant, Start start, Pacer pacer, Duration warmUp, Duration measured)
            throws IOException, InterruptedException, WireException {
        Racer racer = start.make();
        try {
            pacer.start();
            int none = look(POLL);
            long deadline = System.nanoTime() + JOIN.toNanos();
            while (none == 0) {
                check(racer, deadline, "has published nothing");
                none = look(POLL);
            }
            settle(racer, pacer, warmUp);
            Set<Pacer.Window> before = new HashSet<>(seen.keySet());
            during(racer, measured);
            Histogram latency = latency(pacer.deciding(), before);
            OptionalDouble restart = OptionalDouble.empty();
            if (contestant.recovers()) {
                racer.kill();
                for (int silent = 0; silent < SILENT_POLLS; silent++) {
                    look(POLL);
                }
                long killed = System.nanoTime();
                racer.close();
                racer = start.make();
                restart = OptionalDouble.of(everyNew(racer, killed));
            }
            long windows = pacer.stop();
            drain(racer, windows);
            List<String> faults =
                    new WindowVerdict(logs, windows).faults(arena.bootstrapServers(), contestant, shape.partitions());
            return new Result(
                    latency.getTotalCount(),
                    latency.getValueAtPercentile(MEDIAN),
                    latency.getValueAtPercentile(NINETY_NINE),
                    restart,
                    pacer.mostBehindMillis(),
                    faults);
        } finally {
            racer.close();
        }
    }

    private int look(Duration longest) throws WireException {
        List<Sightings.Seen> now = sightings.poll(longest);
        now.forEach(one -> seen.putIfAbsent(
                new Pacer.Window(one.summary().deployment(), one.summary().index()), one.seenMillis()));
        return now.size();
    }

    /** Until it has warmed up and caught up with what came while it started, or does not seem to. */
    private void settle(Racer racer, Pacer pacer, Duration warmUp) throws IOException, WireException {
        long began = System.nanoTime();
        boolean settled = false;
        while (System.nanoTime() - began < warmUp.toNanos()
                || !settled && System.nanoTime() - began < SETTLE.toNanos()) {
            check(racer, began + SETTLE.plus(JOIN).toNanos(), "");
            Set<Pacer.Window> before = new HashSet<>(seen.keySet());
            if (look(POLL) > 0) {
                settled = latency(pacer.deciding(), before).getMaxValue() < SETTLED_MILLIS;
            }
        }
    }

    private void during(Racer racer, Duration time) throws IOException, WireException {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            look(POLL);
            check(racer, end + JOIN.toNanos(), "");
        }
    }

    private static void check(Racer racer, long deadline, String what) throws IOException {
        if (!racer.alive()) {
            throw new IOException(racer.contestant().label() + " has ended while samples came");
        }
        if (System.nanoTime() > deadline) {
            throw new IOException(racer.contestant().label() + " " + what + " in time");
        }
    }

    /** Of the windows that became visible since. */
    private Histogram latency(Map<Pacer.Window, CompletableFuture<Long>> deciding, Set<Pacer.Window> before) {
        Histogram latency = new Histogram(3);
        seen.forEach((window, millis) -> {
            CompletableFuture<Long> appended = deciding.get(window);
            if (appended != null && !before.contains(window)) {
                latency.recordValue(Math.max(0, millis - appended.join()));
            }
        });
        return latency;
    }

    /** Milliseconds until every deployment has a window that it had not. */
    private double everyNew(Racer racer, long sinceNanos) throws IOException, WireException {
        Set<Pacer.Window> before = new HashSet<>(seen.keySet());
        long deadline = System.nanoTime() + RECOVER.toNanos();
        Set<Object> moved = new HashSet<>();
        while (moved.size() < logs.size()) {
            check(racer, deadline, "has not gone on after kill -9");
            look(POLL);
            seen.keySet().stream()
                    .filter(window -> !before.contains(window))
                    .forEach(window -> moved.add(window.deployment()));
        }
        return (System.nanoTime() - sinceNanos) / 1e6;
    }

    private void drain(Racer racer, long windows) throws IOException, WireException {
        long deadline = System.nanoTime() + DRAIN.toNanos();
        while (seen.keySet().stream().filter(window -> window.index() < windows).count() < windows * logs.size()) {
            check(racer, deadline, "has not published all " + windows + " windows");
            look(POLL);
        }
    }
}
