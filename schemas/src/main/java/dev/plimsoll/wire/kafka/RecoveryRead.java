package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * One stretch of another topic that a {@link PartitionTask} reads to rebuild its state: this partition's records up to the end at the
 * time when the reading begins, only what is committed, each passed on as it comes.
 *
 * @param sinceMillis records with a timestamp of at least this, all when empty
 * @param each told of every record, in order
 * @param removed told of the keys whose records were taken back (tombstones of compacted topics), in order with {@code each}
 * @param required whether a record that cannot be read fails the recovery; else it is left out and logged
 */
public record RecoveryRead<T>(
        Topic<T> topic,
        OptionalLong sinceMillis,
        Consumer<Received<T>> each,
        Consumer<String> removed,
        boolean required) {

    /** All records, none of which may be unreadable: what a state is made of. */
    public static <T> RecoveryRead<T> state(Topic<T> topic, Consumer<Received<T>> each) {
        return new RecoveryRead<>(topic, OptionalLong.empty(), each, key -> {}, true);
    }

    /** All records that can be read. */
    public static <T> RecoveryRead<T> all(Topic<T> topic, Consumer<Received<T>> each) {
        return new RecoveryRead<>(topic, OptionalLong.empty(), each, key -> {}, false);
    }

    /** All records that can be read, from a time on. */
    public static <T> RecoveryRead<T> since(Topic<T> topic, long sinceMillis, Consumer<Received<T>> each) {
        return new RecoveryRead<>(topic, OptionalLong.of(sinceMillis), each, key -> {}, false);
    }

    /** The same, told of tombstones too. */
    public RecoveryRead<T> orRemoved(Consumer<String> key) {
        return new RecoveryRead<>(topic, sinceMillis, each, key, required);
    }
}
