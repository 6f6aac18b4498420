package dev.plimsoll.bench.race;

import dev.plimsoll.bench.load.Child;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.util.List;

/** Who takes part. */
enum Contestant {
    /** The role, as shipped. */
    PLIMSOLL("plimsoll", true),
    /** Kafka Streams as well as we can write it: sums on the heap, what has changed goes to a changelog before each commit. */
    STREAMS("streams", true),
    /** The same without a changelog: what is folded is lost with the process. */
    STREAMS_IN_MEMORY("streams-in-memory", false),
    /** Kafka Streams as it is usually written: its own key-value store, in memory, cached, with changelog. */
    STREAMS_KEY_VALUE("streams-key-value", true);

    /** The main class of Kafka Streams' contestants. */
    private static final String STREAMS_MAIN = "dev.plimsoll.bench.race.streams.StreamsMain";

    private final String label;
    private final boolean recovers;

    Contestant(String label, boolean recovers) {
        this.label = label;
        this.recovers = recovers;
    }

    /** What it is called in tables and files. */
    String label() {
        return label;
    }

    /** Whether it goes on where it was when it has been killed. */
    boolean recovers() {
        return recovers;
    }

    boolean ours() {
        return this == PLIMSOLL;
    }

    /** The topic of its windows. */
    String windows() {
        return ours() ? Topic.WINDOWS.name() : "race.windows";
    }

    /** The topic of its summaries. */
    String summaries() {
        return ours() ? Topic.WINDOW_SUMMARIES.name() : "race.window-summaries";
    }

    /** Its main class and arguments. */
    List<String> arguments(String bootstrapServers, String run, int threads, Path scratch) {
        return ours()
                ? List.of(
                        Child.PLIMSOLL,
                        "aggregator",
                        "--bootstrap-servers",
                        bootstrapServers,
                        "--loops",
                        Integer.toString(threads),
                        "--metrics-port",
                        "0")
                : List.of(
                        STREAMS_MAIN,
                        bootstrapServers,
                        label,
                        run,
                        Integer.toString(threads),
                        scratch.toString(),
                        windows(),
                        summaries());
    }
}
