package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * What topics have of one deployment between two offsets: its partition alone is read, its records alone are decoded, only what is
 * committed is seen, and nothing is written, as there is no group. Calls block, each bounded by the time-out between two records. One
 * thread; whoever opens a {@link Reading} closes it.
 */
public final class PastRecords implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration CLOSING = Duration.ofMillis(500);
    private static final long FIRST_LOOK_BACK = 64;

    private final KafkaSettings settings;
    private final Deployment deployment;
    private final Duration timeout;
    private final KafkaConsumer<byte[], ByteBuffer> asking;

    public PastRecords(KafkaSettings settings, Deployment deployment, Duration timeout) {
        this.settings = settings;
        this.deployment = deployment;
        this.timeout = timeout;
        this.asking = consumer();
    }

    private KafkaConsumer<byte[], ByteBuffer> consumer() {
        return Clients.consumer(settings, ClientProperties.reader(settings, "plimsoll-replay", "none"));
    }

    public Deployment deployment() {
        return deployment;
    }

    /** All of the deployment's partition that stands in a topic now. */
    public OffsetRange whole(Topic<?> topic) {
        return find(topic)
                .orElseThrow(() -> new UnknownTopicOrPartitionException(
                        topic.name() + " is not there; 'plimsoll topics create' makes it"));
    }

    /** The same; empty where the cluster does not have the topic. */
    public Optional<OffsetRange> find(Topic<?> topic) {
        List<PartitionInfo> infos = asking.partitionsFor(topic.name(), timeout);
        if (infos == null || infos.isEmpty()) {
            return Optional.empty();
        }
        TopicPartition partition = new TopicPartition(topic.name(), Topic.partition(deployment, infos.size()));
        long from = known(asking.beginningOffsets(List.of(partition), timeout), partition);
        long to = known(asking.endOffsets(List.of(partition), timeout), partition);
        return Optional.of(new OffsetRange(partition.topic(), partition.partition(), Math.min(from, to), to));
    }

    private static long known(Map<TopicPartition, Long> offsets, TopicPartition partition) {
        Long offset = offsets.get(partition);
        if (offset == null) {
            throw new TimeoutException("nobody knows the offsets of " + partition);
        }
        return offset;
    }

    /** The offset of the first record of a range with this timestamp or a later one; the range's end when there is none. */
    public long offsetAt(OffsetRange range, long millis) {
        TopicPartition partition = new TopicPartition(range.topic(), range.partition());
        OffsetAndTimestamp found = asking.offsetsForTimes(Map.of(partition, Math.max(0, millis)), timeout)
                .get(partition);
        return found == null ? range.to() : Math.min(found.offset(), range.to());
    }

    /** The deployment's newest record of a range. */
    public <T> Optional<Received<T>> newest(Topic<T> topic, OffsetRange range, Consumer<Quarantined> unreadable) {
        long back = FIRST_LOOK_BACK;
        while (true) {
            OffsetRange tail = range.since(Math.max(0, range.to() - back));
            Optional<Received<T>> newest = Optional.empty();
            try (Reading<T> reading = read(topic, tail, unreadable)) {
                for (Optional<Received<T>> next = reading.next(); next.isPresent(); next = reading.next()) {
                    newest = next;
                }
            }
            if (newest.isPresent() || tail.from() == range.from()) {
                return newest;
            }
            back *= 8;
        }
    }

    /**
     * The deployment's records of a range, in order.
     *
     * @param unreadable told of its records that cannot be decoded, which are then left out
     */
    public <T> Reading<T> read(Topic<T> topic, OffsetRange range, Consumer<Quarantined> unreadable) {
        if (!range.topic().equals(topic.name())) {
            throw new IllegalArgumentException(range + " is no range of " + topic);
        }
        return new Reading<>(topic, range, unreadable, consumer(), true);
    }

    /**
     * All of the deployment's records of a range at once, in order; for ranges that are short. Opens no further connection.
     *
     * @param unreadable told of its records that cannot be decoded, which are then left out
     */
    public <T> List<Received<T>> all(Topic<T> topic, OffsetRange range, Consumer<Quarantined> unreadable) {
        List<Received<T>> records = new ArrayList<>();
        if (range.from() == range.to()) {
            return records;
        }
        try (Reading<T> reading = new Reading<>(topic, range, unreadable, asking, false)) {
            for (Optional<Received<T>> next = reading.next(); next.isPresent(); next = reading.next()) {
                records.add(next.orElseThrow());
            }
        }
        return records;
    }

    @Override
    public void close() {
        asking.close(CloseOptions.timeout(CLOSING));
    }

    /** Records of one range, one after the other; holds what one fetch brought. */
    public final class Reading<T> implements AutoCloseable {
        private final Topic<T> topic;
        private final OffsetRange range;
        private final TopicPartition partition;
        private final Consumer<Quarantined> unreadable;
        private final Deque<Received<T>> pending = new ArrayDeque<>();
        private final KafkaConsumer<byte[], ByteBuffer> consumer;
        private final boolean ownsConsumer;
        private long position;

        private Reading(
                Topic<T> topic,
                OffsetRange range,
                Consumer<Quarantined> unreadable,
                KafkaConsumer<byte[], ByteBuffer> consumer,
                boolean ownsConsumer) {
            this.topic = topic;
            this.range = range;
            this.partition = new TopicPartition(range.topic(), range.partition());
            this.unreadable = unreadable;
            this.position = range.from();
            this.consumer = consumer;
            this.ownsConsumer = ownsConsumer;
            consumer.assign(List.of(partition));
            consumer.seek(partition, range.from());
        }

        /** The next record, which stays the next one; empty at the end. */
        public Optional<Received<T>> peek() {
            long movedNanos = System.nanoTime();
            while (pending.isEmpty() && position < range.to()) {
                for (ConsumerRecord<byte[], ByteBuffer> record : consumer.poll(POLL)) {
                    take(record);
                }
                long reached = consumer.position(partition, timeout);
                if (reached > position) {
                    position = reached;
                    movedNanos = System.nanoTime();
                } else if (System.nanoTime() - movedNanos > timeout.toNanos()) {
                    throw new TimeoutException(
                            "reading " + range + " got no further than " + position + " for " + timeout);
                }
            }
            return Optional.ofNullable(pending.peek());
        }

        /** The next record; empty at the end. */
        public Optional<Received<T>> next() {
            Optional<Received<T>> next = peek();
            pending.poll();
            return next;
        }

        /** Offset up to which all has been fetched. */
        public long position() {
            return Math.min(position, range.to());
        }

        private void take(ConsumerRecord<byte[], ByteBuffer> record) {
            if (record.offset() >= range.to()
                    || record.value() == null
                    || !Records.isOf(topic, deployment, record.key())) {
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
            if (ownsConsumer) {
                consumer.close(CloseOptions.timeout(CLOSING));
            } else {
                consumer.unsubscribe();
            }
        }
    }
}
