package dev.plimsoll.replay.source;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.OffsetRange;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What is read of each topic: offsets that were found once and mean the same ever after.
 *
 * @param byTopic {@code topic → range}
 * @param fromMillis time of the first window that is wanted; empty where all that is there is
 * @param toMillis time of the first window that is not wanted any more
 */
public record TopicRanges(Map<Topic<?>, OffsetRange> byTopic, OptionalLong fromMillis, OptionalLong toMillis) {
    /** Those that a stretch of windows is cut from; the others are small and read whole, as a decision's causes lie before it. */
    private static final List<Topic<?>> CUT = List.of(Topic.WINDOWS, Topic.WINDOW_SUMMARIES, Topic.SAMPLES);

    private static final List<Topic<?>> READ = List.of(
            Topic.SAMPLES,
            Topic.MEMBERS,
            Topic.WINDOWS,
            Topic.WINDOW_SUMMARIES,
            Topic.PLAN,
            Topic.ACKS,
            Topic.PLACEMENTS,
            Topic.OUTCOMES);

    public TopicRanges {
        byTopic = Map.copyOf(byTopic);
    }

    /** Finds the offsets of a span as the topics are now. */
    public static TopicRanges of(PastRecords records, Span span) {
        return of(records, span, Duration.ZERO);
    }

    /** @param earlier how much of what comes before the span is read too */
    public static TopicRanges of(PastRecords records, Span span, Duration earlier) {
        return of(records, span, earlier, Map.of());
    }

    /** @param before what {@link #named} was once, empty when never: topics are read as far as they went then */
    static TopicRanges of(PastRecords records, Span span, Duration earlier, Map<String, String> before) {
        Map<Topic<?>, OffsetRange> ranges = new LinkedHashMap<>();
        READ.forEach(topic -> ranges.put(topic, asBefore(records.whole(topic), before)));
        OffsetRange windows = range(ranges, Topic.WINDOWS);
        OptionalLong to = millis(records, windows, span.to());
        OptionalLong from = span.last().isPresent()
                ? back(
                        records,
                        range(ranges, Topic.WINDOW_SUMMARIES),
                        span.last().orElseThrow(),
                        to)
                : millis(records, windows, span.from());
        if (from.isEmpty()) {
            // Summaries are kept for longer than the windows that they are of.
            OptionalLong first = firstMillis(records, windows);
            OffsetRange summaries = range(ranges, Topic.WINDOW_SUMMARIES);
            ranges.put(
                    Topic.WINDOW_SUMMARIES,
                    first.isEmpty()
                            ? summaries
                            : summaries.since(firstAt(records, Topic.WINDOW_SUMMARIES, summaries, first.getAsLong())));
        }
        for (Topic<?> topic : CUT) {
            OffsetRange range = range(ranges, topic);
            if (from.isPresent()) {
                range = range.since(firstAt(records, topic, range, from.getAsLong() - earlier.toMillis()));
            }
            if (to.isPresent()) {
                range = range.until(firstAt(records, topic, range, to.getAsLong()));
            }
            ranges.put(topic, range);
        }
        return new TopicRanges(ranges, from, to);
    }

    /**
     * Offset of the deployment's first record of that time or later. What Kafka finds by the time may come before it: the marks that end
     * transactions have the time at which they were written, and stand among windows that are older when an aggregator catches up.
     */
    private static <T> long firstAt(PastRecords records, Topic<T> topic, OffsetRange range, long millis) {
        OffsetRange rest = range.since(records.offsetAt(range, millis));
        try (PastRecords.Reading<T> reading = records.read(topic, rest, unreadable -> {})) {
            for (Optional<Received<T>> next = reading.next(); next.isPresent(); next = reading.next()) {
                if (next.orElseThrow().timestampMillis() >= millis) {
                    return next.orElseThrow().offset();
                }
            }
        }
        return range.to();
    }

    private static OffsetRange asBefore(OffsetRange now, Map<String, String> before) {
        String offsets = before.get(now.place());
        return offsets == null ? now : now.until(Long.parseLong(offsets.substring(offsets.lastIndexOf('.') + 1)));
    }

    private static OffsetRange range(Map<Topic<?>, OffsetRange> ranges, Topic<?> topic) {
        return Optional.ofNullable(ranges.get(topic)).orElseThrow();
    }

    private static OptionalLong millis(PastRecords records, OffsetRange windows, Optional<Edge> edge) {
        Edge wanted = edge.orElse(null);
        if (wanted instanceof Edge.At at) {
            return OptionalLong.of(at.time().toEpochMilli());
        }
        if (wanted instanceof Edge.Offset offset) {
            return OptionalLong.of(
                    firstMillis(records, windows.since(offset.offset())).orElse(Long.MAX_VALUE));
        }
        return OptionalLong.empty();
    }

    /** Time of the deployment's first window record of a range. */
    private static OptionalLong firstMillis(PastRecords records, OffsetRange windows) {
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

    /** What is read of a topic. */
    public OffsetRange of(Topic<?> topic) {
        return range(byTopic, topic);
    }

    /** {@code plimsoll.windows.v1-2 → 100..900}, what tells whether the same is read again; of the topics given, in the order of names. */
    public Map<String, String> named(List<Topic<?>> topics) {
        Map<String, String> named = new TreeMap<>();
        topics.forEach(topic -> named.put(of(topic).place(), of(topic).offsets()));
        return named;
    }
}
