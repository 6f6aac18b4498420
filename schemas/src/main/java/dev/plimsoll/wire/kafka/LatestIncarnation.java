package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The highest incarnation of a deployment that the topics know: one below it would be taken for stale by all who read them. */
public final class LatestIncarnation {
    private static final Logger LOG = LoggerFactory.getLogger(LatestIncarnation.class);
    private static final Duration POLL = Duration.ofMillis(100);

    private LatestIncarnation() {}

    /**
     * Reads the memberships as they are committed now; blocks, bounded.
     *
     * @return empty where the deployment, or the topic, is not there
     * @throws TimeoutException when the cluster does not answer in time
     */
    public static OptionalLong of(KafkaSettings settings, Deployment deployment, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        byte[] key = deployment.id().getBytes(StandardCharsets.UTF_8);
        OptionalLong latest = OptionalLong.empty();
        try (KafkaConsumer<byte[], ByteBuffer> consumer =
                Clients.consumer(settings, ClientProperties.reader(settings, "plimsoll-incarnations", "earliest"))) {
            // All partitions: a producer with another partitioner may have put it anywhere.
            List<TopicPartition> partitions = consumer.partitionsFor(Topic.MEMBERS.name(), timeout).stream()
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, timeout);
            while (ends.entrySet().stream()
                    .anyMatch(end -> consumer.position(end.getKey(), timeout) < end.getValue())) {
                if (System.nanoTime() > deadline) {
                    throw new TimeoutException("the memberships could not be read within " + timeout);
                }
                for (ConsumerRecord<byte[], ByteBuffer> record : consumer.poll(POLL)) {
                    if (Arrays.equals(record.key(), key)) {
                        latest = later(latest, record);
                    }
                }
            }
        }
        return latest;
    }

    private static OptionalLong later(OptionalLong latest, ConsumerRecord<byte[], ByteBuffer> record) {
        try {
            long incarnation = Records.decode(Topic.MEMBERS, record).value().incarnation();
            return OptionalLong.of(Math.max(incarnation, latest.orElse(0)));
        } catch (WireException e) {
            LOG.warn("{} at {}-{} is left out: {}", record.topic(), record.partition(), record.offset(), e.toString());
            return latest;
        }
    }
}
