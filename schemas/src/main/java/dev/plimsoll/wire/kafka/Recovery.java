package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * What a {@link PartitionTask} may read to rebuild its state, after its predecessor has been fenced: only what is committed, up
 * to the end at that time. Lives on the loop's thread and only during {@link PartitionTask#recover}.
 */
public interface Recovery {
    /** The partition number, equal in all topics. */
    int partition();

    /** The offset that the group has committed for the input partition, empty when it never did. */
    OptionalLong committedOffset();

    /** The first offset of the input partition that still exists. */
    long firstInputOffset();

    /** All records of this partition of another topic, for topics that are small. Unreadable ones are left out and logged. */
    <T> List<Received<T>> readAll(Topic<T> topic);

    /**
     * The same without holding them: each is passed on as it is read. When reading fails under way, so does the recovery, and
     * the task is thrown away with what it was told.
     */
    default <T> void readAll(Topic<T> topic, Consumer<Received<T>> each) {
        readAll(topic).forEach(each);
    }

    /** The records of this partition of another topic with a timestamp of at least {@code sinceMillis}. */
    <T> List<Received<T>> readSince(Topic<T> topic, long sinceMillis);
}
