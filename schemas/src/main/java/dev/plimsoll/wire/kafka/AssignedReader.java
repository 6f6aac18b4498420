package dev.plimsoll.wire.kafka;

import static java.util.Objects.requireNonNull;

import dev.plimsoll.wire.WireException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The second consumer of a loop, outside of its group: reads companions as they grow, and at recoveries other topics from a place
 * to their end. Owned by the loop's thread.
 */
final class AssignedReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AssignedReader.class);
    private static final Duration STALLED = Duration.ofSeconds(5);

    private final Consumer<byte[], byte[]> consumer;
    private final Set<TopicPartition> companions = new HashSet<>();

    AssignedReader(Consumer<byte[], byte[]> consumer) {
        this.consumer = consumer;
    }

    boolean hasCompanions() {
        return !companions.isEmpty();
    }

    void addCompanion(TopicPartition partition, long position) {
        companions.add(partition);
        consumer.assign(companions);
        consumer.seek(partition, position);
    }

    /** Stops reading everything of a partition number. */
    void removeCompanions(int partition) {
        if (companions.removeIf(companion -> companion.partition() == partition)) {
            consumer.assign(companions);
        }
    }

    ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
        return companions.isEmpty() ? ConsumerRecords.empty() : consumer.poll(timeout);
    }

    long end(TopicPartition partition) {
        return end(consumer, partition);
    }

    long beginning(TopicPartition partition) {
        return beginning(consumer, partition);
    }

    static long end(Consumer<byte[], byte[]> consumer, TopicPartition partition) {
        return requireNonNull(consumer.endOffsets(Set.of(partition)).get(partition));
    }

    static long beginning(Consumer<byte[], byte[]> consumer, TopicPartition partition) {
        return requireNonNull(consumer.beginningOffsets(Set.of(partition)).get(partition));
    }

    /**
     * Reads what a recovery asks for; returns the end up to which it has read.
     *
     * @param progress told whenever records came
     */
    <T> long read(RecoveryRead<T> asked, TopicPartition partition, Runnable progress) {
        long end = end(partition);
        OptionalLong from = asked.sinceMillis().isPresent()
                ? since(partition, asked.sinceMillis().getAsLong())
                : OptionalLong.of(beginning(partition));
        if (from.isPresent()) {
            read(asked, partition, from.getAsLong(), end, progress);
        }
        return end;
    }

    /** The first offset with a timestamp of at least this, empty when there is none. */
    private OptionalLong since(TopicPartition partition, long timestampMillis) {
        Map<TopicPartition, Long> query = new HashMap<>();
        query.put(partition, timestampMillis);
        OffsetAndTimestamp found = consumer.offsetsForTimes(query).get(partition);
        return found == null ? OptionalLong.empty() : OptionalLong.of(found.offset());
    }

    private <T> void read(RecoveryRead<T> asked, TopicPartition partition, long from, long to, Runnable progress) {
        if (from >= to) {
            return;
        }
        Set<TopicPartition> all = new HashSet<>(companions);
        all.add(partition);
        consumer.assign(all);
        consumer.pause(companions);
        try {
            consumer.seek(partition, from);
            long position = from;
            long deadline = System.nanoTime() + STALLED.toNanos();
            while (position < to) {
                for (ConsumerRecord<byte[], byte[]> record :
                        consumer.poll(Duration.ofMillis(100)).records(partition)) {
                    if (record.offset() < to) {
                        pass(asked, record);
                    }
                }
                long next = consumer.position(partition);
                if (next > position) {
                    position = next;
                    deadline = System.nanoTime() + STALLED.toNanos();
                    progress.run();
                } else if (System.nanoTime() > deadline) {
                    throw new TimeoutException("reading " + partition + " stands still at " + position + " of " + to);
                }
            }
        } finally {
            consumer.assign(companions);
            consumer.resume(companions);
        }
    }

    private static <T> void pass(RecoveryRead<T> asked, ConsumerRecord<byte[], byte[]> record) {
        if (record.value() == null) {
            asked.removed().accept(new String(record.key(), StandardCharsets.UTF_8));
            return;
        }
        Received<T> received;
        try {
            received = Records.decode(asked.topic(), record);
        } catch (WireException e) {
            if (asked.required()) {
                throw new UnreadableStateException(
                        record.topic() + "-" + record.partition() + "@" + record.offset(), e);
            }
            warnUnreadable(record, e);
            return;
        }
        asked.each().accept(received);
    }

    static void warnUnreadable(ConsumerRecord<byte[], byte[]> record, WireException why) {
        LOG.warn(
                "left out {}-{}@{}: {} {}",
                record.topic(),
                record.partition(),
                record.offset(),
                why.reason(),
                why.getMessage());
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(Duration.ofMillis(500)));
    }
}
