package dev.plimsoll.app.command;

import dev.plimsoll.replay.export.Stretch;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which stretch of the past. */
public final class StretchOptions {
    @Option(
            names = "--from",
            paramLabel = "TIME",
            description = "Only what was recorded at this time or later, such as 2026-11-29T17:00:00Z.")
    @Nullable
    private String from;

    @Option(names = "--to", paramLabel = "TIME", description = "Only what was recorded before this time.")
    @Nullable
    private String to;

    @Option(
            names = "--last",
            paramLabel = "DURATION",
            description = "Only what was recorded since then, such as 1h or PT5M.")
    @Nullable
    private Duration last;

    void check(Problems problems) {
        problems.require(from == null || last == null, "--from and --last contradict each other");
        boolean times = isTime("--from", from, problems) & isTime("--to", to, problems);
        if (times && from != null && to != null) {
            problems.require(
                    Instant.parse(from).isBefore(Instant.parse(to)), "--from " + from + " must be before --to " + to);
        }
        problems.require(last == null || !(last.isNegative() || last.isZero()), "--last must be above 0");
        if (times && last != null && to != null) {
            problems.require(
                    Instant.now().minus(last).isBefore(Instant.parse(to)), "--last " + last + " is after --to " + to);
        }
    }

    private static boolean isTime(String option, @Nullable String text, Problems problems) {
        try {
            return text == null || Instant.parse(text) != null;
        } catch (DateTimeException e) {
            problems.add(option + ": '" + text + "' is not a time: write 2026-11-29T17:00:00Z");
            return false;
        }
    }

    Stretch stretch(long nowMillis) {
        OptionalLong begin = from != null
                ? OptionalLong.of(Instant.parse(from).toEpochMilli())
                : last != null ? OptionalLong.of(nowMillis - last.toMillis()) : OptionalLong.empty();
        return new Stretch(
                begin,
                to == null
                        ? OptionalLong.empty()
                        : OptionalLong.of(Instant.parse(to).toEpochMilli()));
    }
}
