package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * What one topic holds of one deployment, from a time on to the end as it was when it was opened, one record after the other: no group,
 * only what is committed, and no more of it in memory than a fetch brings. Calls block, each bounded by the time-out. One thread.
 */
public final class DeploymentLog<T> implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);

    private final Topic<T> topic;
    private final Deployment deployment;
    private final Duration timeout;
    private final Consumer<Quarantined> unreadable;
    private final KafkaConsumer<byte[], ByteBuffer> consumer;
    private final Deque<Received<T>> pending = new ArrayDeque<>();
    private TopicPartition partition;
    private long end;

    private DeploymentLog(
            KafkaSettings settings,
            Topic<T> topic,
            Deployment deployment,
            Duration timeout,
            Consumer<Quarantined> unreadable) {
        this.topic = topic;
        this.deployment = deployment;
        this.timeout = timeout;
        this.unreadable = unreadable;
        this.partition = new TopicPartition(topic.name(), 0);
        this.consumer = Clients.consumer(settings, ClientProperties.reader(settings, "plimsoll-log", "earliest"));
    }

    /**
     * Opens it.
     *
     * @param topic one whose records are put where their deployment belongs
     * @param sinceMillis only records with a timestamp of at least this, and those that stand among them; all when empty
     * @param unreadable told of the deployment's records that cannot be decoded
     */
    public static <T> DeploymentLog<T> open(
            KafkaSettings settings,
            Topic<T> topic,
            Deployment deployment,
            OptionalLong sinceMillis,
            Duration timeout,
            Consumer<Quarantined> unreadable) {
        DeploymentLog<T> log = new DeploymentLog<>(settings, topic, deployment, timeout, unreadable);
        try {
            log.begin(sinceMillis);
            return log;
        } catch (RuntimeException e) {
            log.close();
            throw e;
        }
    }

    private void begin(OptionalLong sinceMillis) {
        List<PartitionInfo> infos = consumer.partitionsFor(topic.name(), timeout);
        if (infos == null || infos.isEmpty()) {
            throw new UnknownTopicOrPartitionException(topic + " is not there; 'plimsoll topics create' makes it");
        }
        partition = new TopicPartition(topic.name(), Topic.partition(deployment, infos.size()));
        end = consumer.endOffsets(List.of(partition), timeout).getOrDefault(partition, 0L);
        consumer.assign(List.of(partition));
        consumer.seek(partition, first(sinceMillis));
    }

    private long first(OptionalLong sinceMillis) {
        if (sinceMillis.isEmpty()) {
            return consumer.beginningOffsets(List.of(partition), timeout).getOrDefault(partition, 0L);
        }
        OffsetAndTimestamp found = consumer.offsetsForTimes(
                        Map.of(partition, Math.max(0, sinceMillis.getAsLong())), timeout)
                .get(partition);
        return found == null ? end : found.offset();
    }

    /**
     * The next record; empty at the end.
     *
     * @throws TimeoutException when nothing came for the time-out
     */
    public Optional<Received<T>> next() {
        long beganNanos = System.nanoTime();
        long position = consumer.position(partition, timeout);
        while (pending.isEmpty() && position < end) {
            for (ConsumerRecord<byte[], ByteBuffer> record : consumer.poll(POLL)) {
                take(record);
            }
            long reached = consumer.position(partition, timeout);
            if (reached > position) {
                position = reached;
                beganNanos = System.nanoTime();
            } else if (System.nanoTime() - beganNanos > timeout.toNanos()) {
                throw new TimeoutException(
                        "reading " + partition + " got no further than " + position + " of " + end + " for " + timeout);
            }
        }
        return Optional.ofNullable(pending.poll());
    }

    private void take(ConsumerRecord<byte[], ByteBuffer> record) {
        if (record.value() == null || record.offset() >= end || !Records.isOf(topic, deployment, record.key())) {
            return;
        }
        try {
            pending.add(Records.decode(topic, record));
        } catch (WireException e) {
            unreadable.accept(Records.quarantined(record, e));
        }
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(Duration.ofMillis(500)));
    }
}
