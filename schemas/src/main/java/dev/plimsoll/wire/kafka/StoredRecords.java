package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * What stands in topics now, for a command that asks once: no group, only what is committed. Calls block, each bounded by the time-out
 * between two records. One thread.
 */
public final class StoredRecords implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);

    /** The bytes of a record, which nobody has looked at. */
    public record Stored(long timestampMillis, ByteBuffer value) {
        /** The value's bytes. */
        public byte[] bytes() {
            byte[] copy = new byte[value.remaining()];
            value.duplicate().get(copy);
            return copy;
        }
    }

    private final Duration timeout;
    private final KafkaConsumer<byte[], ByteBuffer> consumer;

    public StoredRecords(KafkaSettings settings, Duration timeout) {
        this.timeout = timeout;
        this.consumer = Clients.consumer(settings, ClientProperties.reader(settings, "plimsoll-stored", "earliest"));
    }

    /** How many partitions the topic has. */
    public int partitions(Topic<?> topic) {
        return infos(topic.name()).size();
    }

    private List<PartitionInfo> infos(String topic) {
        List<PartitionInfo> infos = consumer.partitionsFor(topic, timeout);
        if (infos == null || infos.isEmpty()) {
            throw new UnknownTopicOrPartitionException(topic + " is not there; 'plimsoll topics create' makes it");
        }
        return infos;
    }

    /**
     * Every record that stands in the topic when it is called, in order within each partition.
     *
     * @param sinceMillis only records with a timestamp of at least this, all when empty
     * @param unreadable told of those that cannot be decoded
     */
    public <T> void each(
            Topic<T> topic, OptionalLong sinceMillis, Consumer<Received<T>> each, Consumer<Quarantined> unreadable) {
        List<TopicPartition> partitions = infos(topic.name()).stream()
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, timeout);
        Map<TopicPartition, Long> begins = begins(partitions, sinceMillis, ends);
        consumer.assign(partitions);
        begins.forEach(consumer::seek);
        Deadline deadline = new Deadline();
        while (ends.entrySet().stream().anyMatch(end -> position(end.getKey()) < end.getValue())) {
            for (ConsumerRecord<byte[], ByteBuffer> record : consumer.poll(POLL)) {
                deadline.moved();
                if (record.value() != null && record.offset() < ends.getOrDefault(partition(record), 0L)) {
                    pass(topic, record, each, unreadable);
                }
            }
            deadline.check(topic.name());
        }
    }

    private Map<TopicPartition, Long> begins(
            List<TopicPartition> partitions, OptionalLong sinceMillis, Map<TopicPartition, Long> ends) {
        if (sinceMillis.isEmpty()) {
            return consumer.beginningOffsets(partitions, timeout);
        }
        Map<TopicPartition, Long> asked = new HashMap<>();
        partitions.forEach(partition -> asked.put(partition, Math.max(0, sinceMillis.getAsLong())));
        Map<TopicPartition, Long> begins = new HashMap<>(ends);
        consumer.offsetsForTimes(asked, timeout).forEach((partition, found) -> {
            if (found != null) {
                begins.put(partition, found.offset());
            }
        });
        return begins;
    }

    private static <T> void pass(
            Topic<T> topic,
            ConsumerRecord<byte[], ByteBuffer> record,
            Consumer<Received<T>> each,
            Consumer<Quarantined> unreadable) {
        try {
            each.accept(Records.decode(topic, record));
        } catch (WireException e) {
            unreadable.accept(Records.quarantined(record, e));
        }
    }

    /** The record at a place; empty when none stands there, or none any more. */
    public Optional<Stored> at(String topic, int partition, long offset) {
        if (partition >= infos(topic).size()) {
            return Optional.empty();
        }
        TopicPartition place = new TopicPartition(topic, partition);
        long begin = consumer.beginningOffsets(List.of(place), timeout).getOrDefault(place, 0L);
        long end = consumer.endOffsets(List.of(place), timeout).getOrDefault(place, 0L);
        if (offset < begin || offset >= end) {
            return Optional.empty();
        }
        consumer.assign(List.of(place));
        consumer.seek(place, offset);
        Deadline deadline = new Deadline();
        // What is compacted away, or was aborted, is passed over.
        while (position(place) <= offset) {
            for (ConsumerRecord<byte[], ByteBuffer> record : consumer.poll(POLL)) {
                if (record.offset() == offset && record.value() != null) {
                    return Optional.of(new Stored(record.timestamp(), record.value()));
                }
            }
            deadline.check(place.toString());
        }
        return Optional.empty();
    }

    private long position(TopicPartition partition) {
        return consumer.position(partition, timeout);
    }

    private static TopicPartition partition(ConsumerRecord<?, ?> record) {
        return new TopicPartition(record.topic(), record.partition());
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(Duration.ofMillis(500)));
    }

    /** Gives up when nothing has come for the time-out. */
    private final class Deadline {
        private long movedNanos = System.nanoTime();

        void moved() {
            movedNanos = System.nanoTime();
        }

        void check(String what) {
            if (System.nanoTime() - movedNanos > timeout.toNanos()) {
                throw new TimeoutException("reading " + what + " got no further for " + timeout);
            }
        }
    }
}
