package dev.plimsoll.wire.kafka;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What is told of a group's member while it polls: whether it is answered, and once a second how far it is behind the stable end of
 * what it reads. Owned by the consumer's thread.
 */
final class MemberWatch {
    private static final long PERIOD_MILLIS = 1_000;

    private final ClientListener listener;
    private final Pulse pulse;
    private final Map<TopicPartition, Long> lastTimestamps = new HashMap<>();
    private final Set<TopicPartition> told = new HashSet<>();
    private long nextMillis;

    MemberWatch(String role, ClientListener listener) {
        this.listener = listener;
        this.pulse = new Pulse("group " + role, listener);
    }

    void of(Consumer<?, ?> consumer) {
        pulse.of(consumer::metrics);
    }

    /** @param records what the last poll brought */
    void look(Consumer<?, ?> consumer, ConsumerRecords<byte[], ByteBuffer> records, long nowMillis) {
        // Fetches or heartbeats, a member always asks for something.
        pulse.look(true);
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<byte[], ByteBuffer>> polled = records.records(partition);
            lastTimestamps.put(partition, polled.get(polled.size() - 1).timestamp());
        }
        if (nowMillis < nextMillis) {
            return;
        }
        nextMillis = nowMillis + PERIOD_MILLIS;
        Set<TopicPartition> assigned = consumer.assignment();
        Set<TopicPartition> released = new HashSet<>(told);
        released.removeAll(assigned);
        for (TopicPartition partition : released) {
            told.remove(partition);
            lastTimestamps.remove(partition);
            listener.onReleased(partition.topic(), partition.partition());
        }
        for (TopicPartition partition : assigned) {
            OptionalLong behind = consumer.currentLag(partition);
            if (behind.isPresent()) {
                told.add(partition);
                listener.onBehind(
                        partition.topic(),
                        partition.partition(),
                        behind.getAsLong(),
                        seconds(behind.getAsLong(), lastTimestamps.get(partition), nowMillis));
            }
        }
    }

    private static OptionalDouble seconds(long records, @Nullable Long lastTimestamp, long nowMillis) {
        if (records == 0) {
            return OptionalDouble.of(0);
        }
        return lastTimestamp == null
                ? OptionalDouble.empty()
                : OptionalDouble.of(Math.max(0, nowMillis - lastTimestamp) / 1000.0);
    }

    /** The consumer has ended: nothing is read any more. */
    void close() {
        told.forEach(partition -> listener.onReleased(partition.topic(), partition.partition()));
        told.clear();
        pulse.close();
    }
}
