package dev.plimsoll.app.command;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which stretch of a deployment's past in the topics. */
final class PastOptions {
    @Option(names = "--deployment", paramLabel = "ID", required = true, description = "Whose past.")
    @Nullable
    private String deployment;

    @Option(
            names = "--incarnation",
            paramLabel = "N",
            description = "Which life of the deployment (default: the newest).")
    @Nullable
    private Long incarnation;

    @Option(
            names = "--from",
            paramLabel = "TIME",
            description =
                    "Windows closed at this time or later, such as 2026-11-29T17:00:00Z (default: all that are there).")
    @Nullable
    private String from;

    @Option(names = "--to", paramLabel = "TIME", description = "Windows closed before this time (default: now).")
    @Nullable
    private String to;

    @Option(
            names = "--last",
            paramLabel = "DURATION",
            description = "So far back from --to, or from the newest window, such as 5m.")
    @Nullable
    private Duration last;

    @Option(
            names = "--from-offset",
            paramLabel = "N",
            description = "From this offset of the deployment's partition of the windows topic, in place of --from.")
    @Nullable
    private Long fromOffset;

    @Option(names = "--to-offset", paramLabel = "N", description = "Up to this offset, in place of --to.")
    @Nullable
    private Long toOffset;

    /** Whether anything was asked for. */
    boolean given() {
        return deployment != null
                || incarnation != null
                || from != null
                || to != null
                || last != null
                || fromOffset != null
                || toOffset != null;
    }

    void check(Problems problems) {
        if (deployment == null) {
            problems.add("--deployment is missing: name one, such as r1/decode-0");
        } else {
            try {
                new Deployment(deployment);
            } catch (IllegalArgumentException e) {
                problems.add("--deployment: ", e);
            }
        }
        problems.require(incarnation == null || incarnation >= 1, "--incarnation must be at least 1");
        problems.require(from == null || fromOffset == null, "--from and --from-offset say the same: give one of them");
        problems.require(to == null || toOffset == null, "--to and --to-offset say the same: give one of them");
        if (last != null && (from != null || fromOffset != null)) {
            problems.add("--last and --from (or --from-offset) both say where it begins: give one of them");
            return;
        }
        try {
            span();
        } catch (IllegalArgumentException e) {
            problems.add("", e);
        }
    }

    Deployment deployment() {
        if (deployment == null) {
            throw new IllegalStateException("options were not checked");
        }
        return new Deployment(deployment);
    }

    OptionalLong incarnation() {
        return incarnation == null ? OptionalLong.empty() : OptionalLong.of(incarnation);
    }

    Span span() {
        return new Span(
                edge("--from", from, "--from-offset", fromOffset),
                edge("--to", to, "--to-offset", toOffset),
                Optional.ofNullable(last));
    }

    private static Optional<Edge> edge(
            String timeOption, @Nullable String time, String offsetOption, @Nullable Long offset) {
        try {
            if (time != null) {
                return Optional.of(Edge.parse(time));
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(timeOption + ": " + e.getMessage(), e);
        }
        if (offset == null) {
            return Optional.empty();
        }
        if (offset < 0) {
            throw new IllegalArgumentException(offsetOption + " must be at least 0, not " + offset);
        }
        return Optional.of(new Edge.Offset(offset));
    }
}
