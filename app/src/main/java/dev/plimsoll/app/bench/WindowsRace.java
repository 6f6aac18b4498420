package dev.plimsoll.app.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/**
 * Our aggregator against Kafka Streams over the same samples. It lives in a jar of its own with Kafka Streams, which is never shipped, so
 * it is there only where that jar is on the class path.
 */
public interface WindowsRace {
    /** Exit code when a contestant has published a window that is not exact. */
    int WRONG_WINDOWS = 3;

    /**
     * What is raced over: every number of ranks with every number of partitions.
     *
     * @param ranks of a deployment
     * @param nodes that these ranks are on, a number for each number of ranks
     * @param partitions of the samples topic, each with a deployment of its own
     * @param boundaries samples per node and window
     * @param latePercent of the samples that come two windows too late
     * @param mebibytes of counters in the log of one configuration, about
     * @param length of everything, about: rounds are repeated while there is time, at least one of each is run
     * @param paced how long latency is measured, zero for not at all
     * @param contestants by name, empty for all
     * @param scratch where data and logs go, empty for a temporary directory that is removed
     * @param recordings where a flight recording of each contestant's first round goes, empty for none
     */
    record Settings(
            List<Integer> ranks,
            List<Integer> nodes,
            List<Integer> partitions,
            int layers,
            int slots,
            int boundaries,
            double latePercent,
            int mebibytes,
            Duration length,
            Duration paced,
            List<String> contestants,
            Optional<Path> scratch,
            Optional<Path> recordings) {
        public Settings {
            ranks = List.copyOf(ranks);
            nodes = List.copyOf(nodes);
            partitions = List.copyOf(partitions);
            contestants = List.copyOf(contestants);
        }
    }

    /**
     * How it went.
     *
     * @param text lines for people
     * @param json one line
     * @param wrong what was wrong with windows, in words
     */
    record Result(String text, String json, List<String> wrong) {
        public Result {
            wrong = List.copyOf(wrong);
        }
    }

    /** What contestants are called. */
    List<String> contestants();

    /**
     * Runs the race; blocks.
     *
     * @param progress told a line now and then
     */
    Result run(Settings settings, Consumer<String> progress) throws Exception;

    /** The race, where it is on the class path. */
    static Optional<WindowsRace> found() {
        return ServiceLoader.load(WindowsRace.class).findFirst();
    }
}
