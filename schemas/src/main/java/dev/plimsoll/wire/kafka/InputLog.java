package dev.plimsoll.wire.kafka;

import java.util.OptionalLong;

/**
 * A partition of the input topic as it is when a {@link PartitionTask} recovers: which log it is, and from where to where it goes.
 *
 * @param partition the partition number, equal in all topics
 * @param partitions how many the input topic has
 * @param topicId of the input topic, as the broker gave it: a topic that was deleted and made again has another one
 * @param first the first offset that still exists; the committed one, where only markers and aborted records were cut off behind it
 * @param end the offset behind the last record that was committed
 * @param committed the offset that the group has committed, empty when it never did
 * @param note what the {@link Transaction} that committed it had to say with it, empty when nothing
 */
public record InputLog(
        int partition, int partitions, String topicId, long first, long end, OptionalLong committed, String note) {}
