package dev.plimsoll.bench.race;

import dev.plimsoll.app.bench.WindowsRace;
import dev.plimsoll.bench.load.LoadShape;
import dev.plimsoll.wire.Topic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Races one configuration: rounds of catching up over one log, then rounds at a steady pace, contestants in turns. Threads: one. */
final class Rounds {
    private static final long SEED = 7;
    private static final int BOUNDARY_STEPS = 10;

    /** Counters per second while latency is measured: that of 1,000 ranks at 50 steps a second. */
    private static final double PACED_BYTES_PER_SECOND = 8e6;

    private static final int PACED_BOUNDARIES = 8;
    private static final int PACED_BOUNDARIES_OF_MANY = 4;
    private static final int MANY_RANKS = 256;
    private static final double FASTEST_PACE = 50;

    /** No round at a steady pace is shorter: a contestant starts twice, and a dead one is missed for six seconds. */
    private static final Duration STARTS = Duration.ofSeconds(25);

    private static final Duration WARM_UP = Duration.ofSeconds(5);

    /** Threads that fold: as many as there are partitions, but no more than two, as on the machine of the table. */
    private static final int MOST_THREADS = 2;

    private final WindowsRace.Settings settings;
    private final RaceShape shape;
    private final RaceShape paced;
    private final List<Contestant> contestants;
    private final Path directory;
    private final Consumer<String> progress;
    private final Map<Contestant, Standing> standings = new LinkedHashMap<>();
    private long mostBehindMillis;
    private int pacedRounds;

    Rounds(
            WindowsRace.Settings settings,
            int ranks,
            int nodes,
            int partitions,
            List<Contestant> contestants,
            Path directory,
            Consumer<String> progress) {
        this.settings = settings;
        this.contestants = contestants;
        this.directory = directory;
        this.progress = progress;
        LoadShape load = new LoadShape(
                ranks, nodes, settings.layers(), settings.slots(), BOUNDARY_STEPS, settings.boundaries(), 1);
        long windows = Math.max(
                RaceShape.WINDOWS_IN_TIME + 1L,
                ((long) settings.mebibytes() << 20) / RaceShape.windowBytes(load) / partitions);
        this.shape = new RaceShape(load, partitions, windows, settings.latePercent());
        int boundaries =
                Math.min(settings.boundaries(), ranks > MANY_RANKS ? PACED_BOUNDARIES_OF_MANY : PACED_BOUNDARIES);
        double boundaryBytes = (double) ranks * settings.layers() * settings.slots() * Integer.BYTES * partitions;
        double boundariesPerSecond = Math.min(FASTEST_PACE, PACED_BYTES_PER_SECOND / boundaryBytes);
        this.paced = new RaceShape(
                new LoadShape(
                        ranks,
                        nodes,
                        settings.layers(),
                        settings.slots(),
                        BOUNDARY_STEPS,
                        boundaries,
                        BOUNDARY_STEPS * boundariesPerSecond),
                partitions,
                Long.MAX_VALUE / boundaries / 2,
                settings.latePercent());
        contestants.forEach(contestant -> standings.put(contestant, new Standing()));
    }

    Configuration run(Duration length) throws Exception {
        long end = System.nanoTime() + length.toNanos();
        boolean withPace = !settings.paced().isZero();
        long pacedNanos =
                withPace ? contestants.size() * settings.paced().plus(STARTS).toNanos() : 0;
        long inputBytes;
        try (Arena arena = new Arena(directory, shape.partitions())) {
            List<DeploymentLog> logs = logs(shape);
            progress.accept(shape.name() + ": writing " + shape.samples() + " samples");
            try (SampleFeed feed = new SampleFeed(arena.bootstrapServers(), shape.partitions())) {
                feed.fill(logs, shape.boundaries());
            }
            inputBytes = arena.bytes(name -> name.equals(Topic.SAMPLES.name()));
            long took;
            int round = 0;
            do {
                long began = System.nanoTime();
                catchUp(arena, logs, round++, inputBytes);
                took = System.nanoTime() - began;
            } while (System.nanoTime() + took + pacedNanos < end);
        }
        if (withPace) {
            try (Arena arena = new Arena(directory, shape.partitions())) {
                long took;
                do {
                    long began = System.nanoTime();
                    pace(arena, pacedRounds++);
                    took = System.nanoTime() - began;
                } while (System.nanoTime() + took < end);
            }
        }
        return new Configuration(shape, inputBytes, paced, standings, pacedRounds, mostBehindMillis);
    }

    private static List<DeploymentLog> logs(RaceShape shape) {
        return shape.members(System.currentTimeMillis()).stream()
                .map(members -> new DeploymentLog(shape, members, SEED))
                .toList();
    }

    private void catchUp(Arena arena, List<DeploymentLog> logs, int round, long inputBytes) throws Exception {
        for (Contestant contestant : contestants) {
            arena.renewOutputs();
            long started = System.nanoTime();
            try (Racer racer = racer(arena, contestant, "catch-up-" + round, round == 0)) {
                CatchUp.Result result = CatchUp.run(
                        arena, shape, logs, racer, started, log(contestant).toString());
                Standing standing = standing(contestant);
                standing.add(result, shape, inputBytes);
                progress.accept(String.format(
                        Locale.ROOT,
                        "%s: round %d, %s: %.0f samples/s, CPU s per million %.1f (compiler %.1f, collector %.1f), last half %.1f,"
                                + " %s",
                        shape.name(),
                        round + 1,
                        contestant.label(),
                        result.samples() / result.seconds(),
                        result.used().cpuNanos() / 1e3 / result.samples(),
                        result.used().compilerNanos() / 1e3 / result.samples(),
                        result.used().collectorNanos() / 1e3 / result.samples(),
                        result.warm().cpuNanos() / 1e3 / result.warmSamples(),
                        result.faults().isEmpty() ? "exact" : "WRONG"));
            }
        }
    }

    private void pace(Arena arena, int round) throws Exception {
        for (Contestant contestant : contestants) {
            arena.renewInput();
            arena.renewOutputs();
            Paced.Result result = Paced.run(
                    arena,
                    paced,
                    logs(paced),
                    contestant,
                    () -> racer(arena, contestant, "paced-" + round, false),
                    WARM_UP,
                    settings.paced());
            standing(contestant).add(result);
            mostBehindMillis = Math.max(mostBehindMillis, result.mostBehindMillis());
            progress.accept(String.format(
                    Locale.ROOT,
                    "%s: at a steady pace, %s: p50 %.0f ms, p99 %.0f ms, restart %s, %s",
                    shape.name(),
                    contestant.label(),
                    result.p50Millis(),
                    result.p99Millis(),
                    result.restartMillis().isPresent()
                            ? Math.round(result.restartMillis().getAsDouble()) + " ms"
                            : "not possible",
                    result.faults().isEmpty() ? "exact" : "WRONG"));
        }
    }

    private Standing standing(Contestant contestant) {
        return standings.computeIfAbsent(contestant, c -> new Standing());
    }

    private Racer racer(Arena arena, Contestant contestant, String run, boolean first) throws IOException {
        Path scratch = Files.createDirectories(directory.resolve(contestant.label()));
        Optional<Path> recording = first
                ? settings.recordings()
                        .map(to -> to.resolve(
                                contestant.label() + "-" + shape.load().ranks() + "-" + shape.partitions() + ".jfr"))
                : Optional.empty();
        return new Racer(
                contestant,
                contestant.arguments(
                        arena.bootstrapServers(), run, Math.min(MOST_THREADS, shape.partitions()), scratch),
                log(contestant),
                recording);
    }

    private Path log(Contestant contestant) {
        return directory.resolve(contestant.label() + ".log");
    }
}
