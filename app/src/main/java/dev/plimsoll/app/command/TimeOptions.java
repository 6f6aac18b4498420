package dev.plimsoll.app.command;

import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which stretch of the past. */
public final class TimeOptions {
    @Option(
            names = "--from",
            paramLabel = "TIME",
            description =
                    "Only what was recorded at this time or later, such as 2026-11-29T17:00:00Z; or from offset:N of the"
                            + " deployment's partition of the windows topic.")
    @Nullable
    private String from;

    @Option(
            names = "--to",
            paramLabel = "TIME",
            description = "Only what was recorded before this time, or before offset:N (default: now).")
    @Nullable
    private String to;

    @Option(
            names = "--last",
            paramLabel = "DURATION",
            description = "So far back from the newest window, or from --to, such as 1h.")
    @Nullable
    private Duration last;

    void check(Problems problems) {
        boolean edges = isEdge("--from", from, problems) & isEdge("--to", to, problems);
        if (edges) {
            try {
                span();
            } catch (IllegalArgumentException e) {
                problems.add("--from, --to, --last: ", e);
            }
        }
    }

    private static boolean isEdge(String option, @Nullable String text, Problems problems) {
        try {
            return text == null || Edge.parse(text) != null;
        } catch (IllegalArgumentException e) {
            problems.add(option + ": ", e);
            return false;
        }
    }

    Span span() {
        return new Span(
                Optional.ofNullable(from).map(Edge::parse),
                Optional.ofNullable(to).map(Edge::parse),
                Optional.ofNullable(last));
    }
}
