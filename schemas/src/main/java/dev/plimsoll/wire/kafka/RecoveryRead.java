package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * One stretch of another topic that a {@link PartitionTask} reads to rebuild its state: this partition's records up to the end at the
 * time when the reading begins, only what is committed, each passed on as it comes.
 *
 * @param range which records
 * @param each told of every record, in order
 * @param removed told of the keys whose records were taken back (tombstones of compacted topics), in order with {@code each}
 * @param through told when all is read: the offset behind it, from which this topic is read on where it is a companion
 * @param required whether a record that cannot be read fails the recovery; else it is left out and logged
 */
public record RecoveryRead<T>(
        Topic<T> topic,
        Range range,
        Consumer<Received<T>> each,
        Consumer<String> removed,
        LongConsumer through,
        boolean required) {

    /**
     * Which records are read: from the first that is at the offset or as young as the time, whichever comes first.
     *
     * @param from offset of the first; one that is not there any more, or beyond the log's end, asks for all
     * @param sinceMillis records with a timestamp of at least this
     * @param to offset behind the last; empty for the log's end
     */
    public record Range(OptionalLong from, OptionalLong sinceMillis, OptionalLong to) {
        /** All records. */
        public static final Range ALL = new Range(OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty());

        /** Those from an offset on. */
        public static Range from(long offset) {
            return new Range(OptionalLong.of(offset), OptionalLong.empty(), OptionalLong.empty());
        }

        /** Those from a time on. */
        public static Range since(long millis) {
            return new Range(OptionalLong.empty(), OptionalLong.of(millis), OptionalLong.empty());
        }

        /** Those from one offset to before another. */
        public static Range between(long from, long to) {
            return new Range(OptionalLong.of(from), OptionalLong.empty(), OptionalLong.of(to));
        }

        /** The same, and those from a time on where that is earlier. */
        public Range orSince(long millis) {
            return new Range(from, OptionalLong.of(millis), to);
        }

        /**
         * The offset to begin at.
         *
         * @param first the log's first offset
         * @param young offset of the first record that is as young as was asked for; negative where none is
         * @param end of the log
         */
        public long begin(long first, long young, long end) {
            if (from.isEmpty() && sinceMillis.isEmpty()) {
                return first;
            }
            long byOffset = from.orElse(end);
            // Beyond the end it is another log than the one that the offset is of.
            byOffset = byOffset > end ? first : Math.max(first, byOffset);
            long byTime = sinceMillis.isEmpty() || young < 0 ? end : young;
            return Math.min(byOffset, byTime);
        }
    }

    /** All records, none of which may be unreadable: what a state is made of. */
    public static <T> RecoveryRead<T> state(Topic<T> topic, Consumer<Received<T>> each) {
        return new RecoveryRead<>(topic, Range.ALL, each, key -> {}, end -> {}, true);
    }

    /** All records that can be read. */
    public static <T> RecoveryRead<T> all(Topic<T> topic, Consumer<Received<T>> each) {
        return new RecoveryRead<>(topic, Range.ALL, each, key -> {}, end -> {}, false);
    }

    /** All records that can be read, from a time on. */
    public static <T> RecoveryRead<T> since(Topic<T> topic, long sinceMillis, Consumer<Received<T>> each) {
        return all(topic, each).in(Range.since(sinceMillis));
    }

    /** The same of some records only. */
    public RecoveryRead<T> in(Range some) {
        return new RecoveryRead<>(topic, some, each, removed, through, required);
    }

    /** The same, told of tombstones too. */
    public RecoveryRead<T> orRemoved(Consumer<String> key) {
        return new RecoveryRead<>(topic, range, each, key, through, required);
    }

    /** The same, told how far the log went. */
    public RecoveryRead<T> until(LongConsumer end) {
        return new RecoveryRead<>(topic, range, each, removed, end, required);
    }
}
