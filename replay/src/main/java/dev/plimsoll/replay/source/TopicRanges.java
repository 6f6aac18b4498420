package dev.plimsoll.replay.source;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.OffsetRange;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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

    /** Those that the times of a span are found in. */
    private static final List<Topic<?>> ASKED = List.of(Topic.WINDOWS, Topic.WINDOW_SUMMARIES);

    private static final Pattern OFFSETS = Pattern.compile("\\d{1,18}\\.\\.(\\d{1,18})");

    public TopicRanges {
        byTopic = Map.copyOf(byTopic);
    }

    /**
     * Finds the offsets of a span as the topics are now.
     *
     * @param topics that are read; to cut one that is not may mean to read it to its end
     */
    public static TopicRanges of(PastRecords records, List<Topic<?>> topics, Span span) {
        return of(records, topics, span, Duration.ZERO, Map.of());
    }

    /**
     * @param earlier how much of what comes before the span is read too
     * @param before what {@link #named} was once, empty when never: topics are read as far as they went then
     * @throws IllegalArgumentException when that is not what {@link #named} says
     */
    static TopicRanges of(
            PastRecords records, List<Topic<?>> topics, Span span, Duration earlier, Map<String, String> before) {
        Set<Topic<?>> all = new LinkedHashSet<>(topics);
        all.addAll(ASKED);
        Map<Topic<?>, OffsetRange> ranges = new LinkedHashMap<>();
        all.forEach(topic -> ranges.put(topic, asBefore(records.whole(topic), before)));
        OffsetRange windows = range(ranges, Topic.WINDOWS);
        SpanMillis times = SpanMillis.of(records, span, windows, range(ranges, Topic.WINDOW_SUMMARIES));
        for (Topic<?> topic : CUT) {
            if (topics.contains(topic)) {
                ranges.put(
                        topic,
                        cut(
                                records,
                                topic,
                                range(ranges, topic),
                                begin(records, topic, times, windows, earlier),
                                times.to()));
            }
        }
        return new TopicRanges(ranges, times.from(), times.to());
    }

    private static OptionalLong begin(
            PastRecords records, Topic<?> topic, SpanMillis times, OffsetRange windows, Duration earlier) {
        OptionalLong from = times.from().isPresent()
                ? OptionalLong.of(times.from().getAsLong() - earlier.toMillis())
                : OptionalLong.empty();
        if (topic != Topic.WINDOW_SUMMARIES) {
            return from;
        }
        // Summaries are kept for longer than the windows that they are of.
        OptionalLong first = SpanMillis.firstWindow(records, windows);
        return first.isPresent() ? OptionalLong.of(Math.max(first.getAsLong(), from.orElse(Long.MIN_VALUE))) : from;
    }

    private static OffsetRange cut(
            PastRecords records, Topic<?> topic, OffsetRange whole, OptionalLong from, OptionalLong to) {
        OffsetRange range = whole;
        if (from.isPresent()) {
            range = range.since(firstAt(records, topic, range, from.getAsLong()));
        }
        if (to.isPresent()) {
            range = range.until(firstAt(records, topic, range, to.getAsLong()));
        }
        return range;
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

    static OffsetRange asBefore(OffsetRange now, Map<String, String> before) {
        String offsets = before.get(now.place());
        if (offsets == null) {
            return now;
        }
        Matcher said = OFFSETS.matcher(offsets);
        if (!said.matches()) {
            throw new IllegalArgumentException("the manifest says of " + now.place() + " that '" + offsets
                    + "' was read: it must be offsets, such as " + now.offsets());
        }
        return now.until(Long.parseLong(said.group(1)));
    }

    private static OffsetRange range(Map<Topic<?>, OffsetRange> ranges, Topic<?> topic) {
        return Optional.ofNullable(ranges.get(topic)).orElseThrow();
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
