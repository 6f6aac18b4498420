package dev.plimsoll.app.broker;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import dev.plimsoll.wire.kafka.Received;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * All that is committed in a topic, from its first record to its end as it is when asked: read by a plain consumer, with nothing of
 * ours between Kafka and the list but the codec.
 */
public final class CommittedRecords {
    private static final Duration POLL = Duration.ofMillis(200);

    private final String bootstrapServers;
    private final Duration longest;

    /** @param longest for one topic */
    public CommittedRecords(String bootstrapServers, Duration longest) {
        this.bootstrapServers = bootstrapServers;
        this.longest = longest;
    }

    /**
     * The records, in order within each partition.
     *
     * @throws IllegalStateException for a record that cannot be decoded
     * @throws TimeoutException when the end was not reached in time
     */
    public <T> List<Received<T>> of(Topic<T> topic) {
        List<Received<T>> records = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : raw(topic.name(), partitions(topic.name()))) {
            if (record.value() == null) {
                continue;
            }
            try {
                records.add(new Received<>(
                        topic, record.partition(), record.offset(), record.timestamp(), topic.decode(record.value())));
            } catch (WireException e) {
                throw new IllegalStateException(
                        topic + "-" + record.partition() + "@" + record.offset() + " cannot be read", e);
            }
        }
        return records;
    }

    /** The bytes of one partition's records, tombstones too. */
    List<ConsumerRecord<byte[], byte[]>> raw(String topic, int partition) {
        return raw(topic, List.of(new TopicPartition(topic, partition)));
    }

    private List<TopicPartition> partitions(String topic) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            return consumer.partitionsFor(topic, longest).stream()
                    .map(info -> new TopicPartition(topic, info.partition()))
                    .toList();
        }
    }

    private List<ConsumerRecord<byte[], byte[]>> raw(String topic, List<TopicPartition> partitions) {
        long deadline = System.nanoTime() + longest.toNanos();
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            consumer.assign(partitions);
            // Of a reader of committed records: the last stable offset, so an open transaction holds nobody up.
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, longest);
            consumer.seekToBeginning(partitions);
            while (ends.entrySet().stream()
                    .anyMatch(end -> consumer.position(end.getKey(), longest) < end.getValue())) {
                if (System.nanoTime() - deadline > 0) {
                    throw new TimeoutException("the end of " + topic + " was not reached within " + longest);
                }
                consumer.poll(POLL).forEach(record -> {
                    if (record.offset() < ends.getOrDefault(new TopicPartition(topic, record.partition()), 0L)) {
                        records.add(record);
                    }
                });
            }
        }
        return records;
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        return new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers,
                        ConsumerConfig.CLIENT_ID_CONFIG,
                        "plimsoll-chaos-reader",
                        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                        IsolationLevel.READ_COMMITTED.toString().toLowerCase(Locale.ROOT),
                        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                        false,
                        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                        "none"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    static String key(ConsumerRecord<byte[], byte[]> record) {
        return new String(record.key(), StandardCharsets.UTF_8);
    }
}
