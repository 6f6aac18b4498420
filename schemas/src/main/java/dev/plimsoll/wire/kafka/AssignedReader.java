package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.WireException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The second consumer of a loop, outside of its group: reads companions as they grow, and beside them what recoveries ask for. It is
 * polled once in a round, whatever is being read. Owned by the loop's thread.
 */
final class AssignedReader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AssignedReader.class);
    private static final Duration STALLED = Duration.ofSeconds(5);
    private static final Duration WAITING_FOR_STRETCHES = Duration.ofMillis(10);

    private final Consumer<byte[], ByteBuffer> consumer;
    private final Set<TopicPartition> companions = new HashSet<>();
    private final Map<TopicPartition, Stretch> stretches = new HashMap<>();

    AssignedReader(Consumer<byte[], ByteBuffer> consumer) {
        this.consumer = consumer;
    }

    /**
     * Records of one partition from an offset to another, for one recovery. While some of what came has not been taken, no more is
     * fetched.
     */
    final class Stretch {
        private final TopicPartition partition;
        private final long to;
        private final Deque<ConsumerRecord<byte[], ByteBuffer>> pending = new ArrayDeque<>();
        private long position;
        private long movedNanos = System.nanoTime();
        private @Nullable RuntimeException broken;

        Stretch(TopicPartition partition, long from, long to) {
            this.partition = partition;
            this.to = to;
            this.position = from;
        }

        /** The next record, null when none is here yet. */
        @Nullable
        ConsumerRecord<byte[], ByteBuffer> next() {
            ConsumerRecord<byte[], ByteBuffer> next = pending.poll();
            if (next != null && pending.isEmpty()) {
                movedNanos = System.nanoTime();
                consumer.resume(Set.of(partition));
            }
            return next;
        }

        /**
         * Whether everything has been taken.
         *
         * @throws TimeoutException when nothing has come for 5 s
         * @throws RuntimeException what the consumer said when it was asked how far it is
         */
        boolean through() {
            if (broken != null) {
                throw broken;
            }
            if (!pending.isEmpty()) {
                return false;
            }
            if (position >= to) {
                return true;
            }
            if (System.nanoTime() - movedNanos > STALLED.toNanos()) {
                throw new TimeoutException("reading " + partition + " stands still at " + position + " of " + to);
            }
            return false;
        }

        void end() {
            if (stretches.remove(partition, this)) {
                assign();
            }
        }

        private void came(Iterable<ConsumerRecord<byte[], ByteBuffer>> records) {
            for (ConsumerRecord<byte[], ByteBuffer> record : records) {
                if (record.offset() < to) {
                    pending.add(record);
                }
            }
            if (!pending.isEmpty()) {
                consumer.pause(Set.of(partition));
            }
        }

        /** Looks how far it is without waiting: a position that is being validated is known after one of the next polls. */
        private void look() {
            try {
                long reached = consumer.position(partition, Duration.ZERO);
                if (reached > position) {
                    position = reached;
                    movedNanos = System.nanoTime();
                }
            } catch (InterruptException e) {
                throw e;
            } catch (RetriableException e) {
                LOG.debug("{} is at {} or behind it", partition, position, e);
            } catch (RuntimeException e) {
                // It concerns whoever reads this one; what came for others must reach them.
                broken = e;
            }
        }
    }

    /** Begins to read a stretch; {@link Stretch#end} it. */
    Stretch read(TopicPartition partition, long from, long to) {
        Stretch stretch = new Stretch(partition, from, to);
        if (from < to) {
            stretches.put(partition, stretch);
            assign();
            consumer.seek(partition, from);
        }
        return stretch;
    }

    boolean hasCompanions() {
        return !companions.isEmpty();
    }

    void addCompanion(TopicPartition partition, long position) {
        companions.add(partition);
        assign();
        consumer.seek(partition, position);
    }

    /** Stops reading the companions of a partition number. */
    void removeCompanions(int partition) {
        if (companions.removeIf(companion -> companion.partition() == partition)) {
            assign();
        }
    }

    /** Leaves the companions of a partition number alone for a while. */
    void pauseCompanions(int partition) {
        consumer.pause(companionsOf(partition));
    }

    void resumeCompanions(int partition) {
        consumer.resume(companionsOf(partition));
    }

    private Set<TopicPartition> companionsOf(int partition) {
        Set<TopicPartition> found = new HashSet<>(companions);
        found.removeIf(companion -> companion.partition() != partition);
        return found;
    }

    private void assign() {
        Set<TopicPartition> all = new HashSet<>(companions);
        all.addAll(stretches.keySet());
        consumer.assign(all);
    }

    /** Polls once; what belongs to stretches is kept for them, what belongs to companions is in the answer too. */
    ConsumerRecords<byte[], ByteBuffer> poll(Duration whenOnlyCompanions) {
        if (companions.isEmpty() && stretches.isEmpty()) {
            return ConsumerRecords.empty();
        }
        boolean pending = stretches.values().stream().anyMatch(stretch -> !stretch.pending.isEmpty());
        ConsumerRecords<byte[], ByteBuffer> records = consumer.poll(
                pending ? Duration.ZERO : stretches.isEmpty() ? whenOnlyCompanions : WAITING_FOR_STRETCHES);
        // The consumer will not give these records again, so all are in their places before anything else can fail.
        stretches.forEach((partition, stretch) -> stretch.came(records.records(partition)));
        stretches.values().forEach(Stretch::look);
        return records;
    }

    static void warnUnreadable(ConsumerRecord<byte[], ByteBuffer> record, WireException why) {
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
