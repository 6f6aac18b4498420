package dev.plimsoll.replay;

import dev.plimsoll.replay.format.Given;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** Where a past is read from. */
public sealed interface HistorySource {
    /**
     * A file or a directory that an engine wrote.
     *
     * @param format name of the format that is insisted on
     * @param given what was said beside it, but for the ranks, which may be others than it was recorded on, and the map
     * @param map that load of slots was counted under: a file, or {@code start}
     */
    record OfFile(Path path, Optional<String> format, Given given, Optional<String> map) implements HistorySource {
        /** For the map that engines start with. */
        public static final String START = "start";
    }

    /**
     * The topics of a deployment.
     *
     * @param bootstrapServers of the cluster
     * @param from time or offset, as it was written; so is {@code to}
     * @param last how far back, as ISO-8601 says it
     * @param ofSamples whether windows are made again from samples, of any length, in place of being read
     */
    record OfTopics(
            String bootstrapServers,
            String deployment,
            OptionalLong incarnation,
            Optional<String> from,
            Optional<String> to,
            Optional<String> last,
            boolean ofSamples)
            implements HistorySource {}
}
