package dev.plimsoll.replay.source;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.OffsetRange;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The two times that a span means, of which a record or two tell at most.
 *
 * @param from time of the first window that is wanted; empty where all that is there is
 * @param to time of the first window that is not wanted any more
 */
public record SpanMillis(OptionalLong from, OptionalLong to) {
    /** Asks for them as the topics are now. */
    public static SpanMillis of(PastRecords records, Span span) {
        return span.equals(Span.ALL)
                ? new SpanMillis(OptionalLong.empty(), OptionalLong.empty())
                : of(records, span, records.whole(Topic.WINDOWS), records.whole(Topic.WINDOW_SUMMARIES));
    }

    static SpanMillis of(PastRecords records, Span span, OffsetRange windows, OffsetRange summaries) {
        OptionalLong to = millis(records, windows, span.to());
        OptionalLong from = span.last().isPresent()
                ? back(records, summaries, span.last().orElseThrow(), to)
                : millis(records, windows, span.from());
        return new SpanMillis(from, to);
    }

    private static OptionalLong millis(PastRecords records, OffsetRange windows, Optional<Edge> edge) {
        Edge wanted = edge.orElse(null);
        if (wanted instanceof Edge.At at) {
            return OptionalLong.of(at.time().toEpochMilli());
        }
        if (wanted instanceof Edge.Offset offset) {
            return OptionalLong.of(
                    firstWindow(records, windows.since(offset.offset())).orElse(Long.MAX_VALUE));
        }
        return OptionalLong.empty();
    }

    /** Time of the deployment's first window record of a range. */
    static OptionalLong firstWindow(PastRecords records, OffsetRange windows) {
        try (PastRecords.Reading<LoadWindow> reading = records.read(Topic.WINDOWS, windows, unreadable -> {})) {
            return reading.peek()
                    .map(first -> OptionalLong.of(first.timestampMillis()))
                    .orElse(OptionalLong.empty());
        }
    }

    private static OptionalLong back(PastRecords records, OffsetRange summaries, Duration last, OptionalLong to) {
        if (to.isPresent()) {
            return OptionalLong.of(to.getAsLong() - last.toMillis());
        }
        Optional<Received<WindowSummary>> newest = records.newest(Topic.WINDOW_SUMMARIES, summaries, none -> {});
        return newest.isPresent()
                ? OptionalLong.of(newest.orElseThrow().timestampMillis() - last.toMillis())
                : OptionalLong.empty();
    }
}
