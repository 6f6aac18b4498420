package dev.plimsoll.app.command;

import dev.plimsoll.app.quarantine.Contents;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.StoredRecords;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which of the quarantined records. */
public final class QuarantineOptions {
    static final Duration TIMEOUT = Duration.ofSeconds(15);

    @Option(
            names = "--reason",
            paramLabel = "REASON",
            split = ",",
            description = "Only these reasons, such as malformed,frame.")
    private List<String> reasons = new ArrayList<>();

    @Option(names = "--partition", paramLabel = "N", description = "Only records of this partition.")
    @Nullable
    private Integer partition;

    @Option(
            names = "--from",
            paramLabel = "TIME",
            description = "Only what was quarantined at this time or later, such as 2026-11-29T17:00:00Z.")
    @Nullable
    private String from;

    @Option(
            names = "--last",
            paramLabel = "DURATION",
            description = "Only what was quarantined since then, such as 1h.")
    @Nullable
    private Duration last;

    /** Whether anything was asked for. */
    boolean given() {
        return !reasons.isEmpty() || partition != null || from != null || last != null;
    }

    void check(Problems problems) {
        problems.require(from == null || last == null, "--from and --last contradict each other");
        problems.require(partition == null || partition >= 0, "--partition must not be below 0");
        if (from != null) {
            try {
                Instant.parse(from);
            } catch (DateTimeException e) {
                problems.add("--from: '" + from + "' is not a time: write 2026-11-29T17:00:00Z");
            }
        }
    }

    private OptionalLong since(long nowMillis) {
        if (from != null) {
            return OptionalLong.of(Instant.parse(from).toEpochMilli());
        }
        return last == null ? OptionalLong.empty() : OptionalLong.of(nowMillis - last.toMillis());
    }

    boolean wants(Quarantined record) {
        return (partition == null || record.partition() == partition)
                && (reasons.isEmpty()
                        || reasons.stream()
                                .anyMatch(reason -> record.reason()
                                        .equals(reason.toUpperCase(Locale.ROOT).replace('-', '_'))));
    }

    /** Reads what stands in quarantine and is wanted by these options and by who asks. */
    Contents read(StoredRecords stored, int most, Predicate<Quarantined> further) {
        Contents contents = new Contents(most, further.and(this::wants));
        stored.each(
                Topic.QUARANTINE,
                since(System.currentTimeMillis()),
                received -> contents.add(received.value(), received.timestampMillis()),
                unreadable -> System.err.println("unreadable: " + unreadable.summary()));
        return contents;
    }
}
