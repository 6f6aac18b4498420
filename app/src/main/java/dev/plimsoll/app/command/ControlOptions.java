package dev.plimsoll.app.command;

import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How an operator's command is given: tried or executed, by whom and why, resting on what. */
public final class ControlOptions {
    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    @Option(names = "--execute", description = "Do it; without it, what would be done is said and nothing is written.")
    private boolean execute;

    @Option(
            names = "--reason",
            paramLabel = "TEXT",
            description = "Why, such as a ticket; needed with --execute, and kept with the command for a year.")
    @Nullable
    private String reason;

    @Option(names = "--by", paramLabel = "NAME", description = "Who gives the command (default: this user's name).")
    private String by = System.getProperty("user.name", "unknown");

    @Option(
            names = "--based-on",
            paramLabel = "VERSION",
            description = "The settled version that the command rests on (default: the one that is settled now); when"
                    + " another is settled, nothing is done and the exit code is 4.")
    @Nullable
    private Integer basedOn;

    @Option(
            names = "--wait",
            paramLabel = "DURATION",
            description = "How long to wait for the planner's answer, 0s for not at all (default: 30s).")
    private Duration waiting = Duration.ofSeconds(30);

    void check(Problems problems) {
        problems.require(
                !execute || (reason != null && !reason.isBlank()),
                "--reason is missing: say why, for whoever reads the log, such as --reason 'INC-812: rank 3 is slow'");
        problems.require(!by.isBlank(), "--by is empty: say who gives the command");
        problems.require(basedOn == null || basedOn >= 0, "--based-on must not be below 0, not " + basedOn);
        problems.require(
                !waiting.isNegative() && waiting.compareTo(LONGEST_WAIT) <= 0,
                "--wait must be 0s to 1h, not " + waiting);
    }

    boolean execute() {
        return execute;
    }

    String reason() {
        return reason == null || reason.isBlank() ? "(say why with --reason)" : reason;
    }

    String by() {
        return by;
    }

    /** The version that was named; else the one that was seen. */
    OptionalInt basedOn(OptionalInt seen) {
        return basedOn == null ? seen : OptionalInt.of(basedOn);
    }

    Duration waiting() {
        return waiting;
    }
}
