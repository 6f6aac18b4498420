package dev.plimsoll.app.bench;

import dev.plimsoll.device.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Measures what the device library costs: a boundary on the dispatch thread, its way to a listener in Java, and gathers of
 * groups of simulated ranks.
 */
public final class DeviceBench {
    /** The fewest gathers of a group, where that many boundaries were asked for: below, a p99 says nothing. */
    private static final int LEAST_GATHERS = 100;

    /** Between two boundaries of one rank: all threads have gone to sleep, as between those of an engine. */
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private static final long HIGHEST_NANOS = TimeUnit.MINUTES.toNanos(2);

    /**
     * What is measured.
     *
     * @param ranks sizes of the groups that gather, each measured once, the smallest first
     * @param layers MoE layers
     * @param slots slots of one rank
     * @param boundaries measured boundaries of one rank; groups have fewer, the more ranks the fewer, but at least 100
     */
    public record Settings(String backend, List<Integer> ranks, int layers, int slots, int boundaries) {
        public Settings {
            ranks = ranks.stream().distinct().sorted().toList();
        }

        /** How many gathers of a group are measured. */
        int gathers(int size) {
            return Math.min(boundaries, Math.max(LEAST_GATHERS, boundaries / size));
        }

        /** Memory, in bytes, that the largest group takes, roughly. */
        public long memory() {
            return ranks.stream()
                    .mapToLong(size -> RankGroup.memory(size, layers, slots))
                    .max()
                    .orElse(0);
        }
    }

    /**
     * What came out, in nanoseconds.
     *
     * @param snapshot begin and end of one rank, on the dispatch thread
     * @param callback from before begin of one rank to its listener in Java
     * @param gathers by ranks: from the last rank's end to the last ring's listener
     */
    public record Result(Histogram snapshot, Histogram callback, SortedMap<Integer, Histogram> gathers) {}

    /** Told after every boundary; may end the measurement by an exception. */
    public interface Progress {
        void at(int ranks, int done, int of);
    }

    private interface Reading {
        void of(RankGroup.Round round);
    }

    private final Settings settings;
    private final Path directory;
    private final Progress progress;

    private DeviceBench(Settings settings, Path directory, Progress progress) {
        this.settings = settings;
        this.directory = directory;
        this.progress = progress;
    }

    /**
     * Measures all, one after the other.
     *
     * @param directory an existing directory in shared memory, used by nothing else
     */
    public static Result run(Settings settings, Path directory, Progress progress) throws InterruptedException {
        return new DeviceBench(settings, directory, progress).run();
    }

    private Result run() throws InterruptedException {
        Histogram snapshot = histogram();
        Histogram callback = histogram();
        SortedMap<Integer, Histogram> gathers = new TreeMap<>();
        try (Device device = Device.open(settings.backend())) {
            // A lone rank writes its file, as an engine's does.
            try (RankGroup alone = group(device, "alone", 1, true)) {
                measure(alone, 1, settings.boundaries(), settings.boundaries(), PAUSE_NANOS, round -> {
                    snapshot.recordValue(round.dispatched() - round.begun());
                    callback.recordValue(round.heard() - round.begun());
                });
            }
            for (int size : settings.ranks()) {
                Histogram gather = histogram();
                int rounds = settings.gathers(size);
                // Files as wide as the group, one for each of its ranks, would only measure this machine's memory: a
                // node
                // has a few of them.
                try (RankGroup group = group(device, "group-" + size, size, false)) {
                    measure(
                            group,
                            size,
                            rounds / 4 + 1,
                            rounds,
                            0,
                            round -> gather.recordValue(round.heard() - round.closing()));
                }
                gathers.put(size, gather);
            }
        }
        return new Result(snapshot, callback, gathers);
    }

    private RankGroup group(Device device, String name, int size, boolean files) {
        return new RankGroup(device, directory.resolve(name), size, settings.layers(), settings.slots(), files);
    }

    private void measure(RankGroup group, int size, int warmUp, int rounds, long pauseNanos, Reading reading)
            throws InterruptedException {
        for (int i = 0; i < warmUp; i++) {
            group.round();
            progress.at(size, 0, rounds);
        }
        for (int i = 0; i < rounds; i++) {
            if (pauseNanos > 0) {
                LockSupport.parkNanos(pauseNanos);
            }
            reading.of(group.round());
            progress.at(size, i + 1, rounds);
        }
        if (group.skipped() > 0) {
            throw new IllegalStateException(
                    group.skipped() + " snapshots of " + size + " ranks carried no heat, so their times mean nothing");
        }
    }

    private static Histogram histogram() {
        return new Histogram(HIGHEST_NANOS, 3);
    }
}
