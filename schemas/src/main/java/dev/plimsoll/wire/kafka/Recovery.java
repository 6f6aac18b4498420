package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import dev.plimsoll.wire.life.Place;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/**
 * A task on its way from what is committed to its state, in slices: whatever has to be waited for is looked at again in the next
 * round, so that several recover side by side and polls go on. Owned by the loop's thread.
 */
final class Recovery<I> {
    private final PartitionTask<I> task;
    private final InputLog log;
    private final AssignedReader reader;
    private final Brokers brokers;
    private final LoopClock clock;
    private final Predicate<Place> leftOut;
    private final Map<String, Long> companionPositions = new HashMap<>();
    private @Nullable KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> companionEnds;
    private @Nullable Read<?> read;
    private long position;

    /** @param leftOut which records have crashed too many tasks before this one */
    Recovery(
            PartitionTask<I> task,
            InputLog log,
            AssignedReader reader,
            Brokers brokers,
            LoopClock clock,
            Predicate<Place> leftOut) {
        this.task = task;
        this.log = log;
        this.reader = reader;
        this.brokers = brokers;
        this.clock = clock;
        this.leftOut = leftOut;
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        task.companions().forEach(companion -> ends.put(of(companion), OffsetSpec.latest()));
        if (!ends.isEmpty()) {
            companionEnds = brokers.offsets(ends);
        }
    }

    PartitionTask<I> task() {
        return task;
    }

    /** Where the task wants to go on; when it has recovered. */
    long position() {
        return position;
    }

    /** Where to go on in a companion; when it has recovered. */
    long position(Topic<?> companion) {
        return companionPositions.getOrDefault(companion.name(), 0L);
    }

    /** Goes on until there is something to wait for or time is up; returns whether the task has recovered. */
    boolean advance(long untilNanos) {
        KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> ends = companionEnds;
        if (ends != null) {
            if (!ends.isDone()) {
                return false;
            }
            Brokers.wait(ends, clock)
                    .forEach((partition, end) -> companionPositions.put(partition.topic(), end.offset()));
            companionEnds = null;
        }
        while (clock.nanoTime() - untilNanos < 0) {
            if (read == null) {
                Optional<RecoveryRead<?>> next = task.nextRead(log);
                if (next.isEmpty()) {
                    position = recovered();
                    return true;
                }
                read = new Read<>(next.get());
            }
            if (!read.advance(untilNanos)) {
                return false;
            }
            read = null;
        }
        return false;
    }

    private long recovered() {
        long wanted;
        try {
            wanted = task.recovered(log);
        } catch (IllegalStateException e) {
            throw new RefusedException(String.valueOf(e.getMessage()), e);
        }
        if (wanted > log.end()) {
            throw new RefusedException("the work on " + of(log) + " is to go on at offset " + wanted
                    + ", but its log ends at "
                    + log.end() + ": it is another log than before. Delete the group's offsets to start anew from its"
                    + " beginning, or bring the old log back");
        }
        return wanted;
    }

    private static String of(InputLog log) {
        return "partition " + log.partition() + " of topic id " + log.topicId();
    }

    /** Gives everything back; the task is not to be used any more unless it has recovered. */
    void end() {
        if (read != null) {
            read.end();
            read = null;
        }
    }

    private TopicPartition of(Topic<?> topic) {
        return new TopicPartition(topic.name(), log.partition());
    }

    /** One read of the task. */
    private final class Read<T> {
        private final RecoveryRead<T> asked;
        private final TopicPartition partition;
        private final KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> ends;
        private final KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> firsts;
        private final Optional<KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>>> young;
        private long to;
        /** Of every key the newest record, where it cannot be read. */
        private final Map<String, UnreadableStateException> unreadable = new TreeMap<>();

        private AssignedReader.@Nullable Stretch stretch;

        Read(RecoveryRead<T> asked) {
            this.asked = asked;
            this.partition = of(asked.topic());
            ends = brokers.offsets(Map.of(partition, OffsetSpec.latest()));
            firsts = brokers.offsets(Map.of(partition, OffsetSpec.earliest()));
            young = asked.range().sinceMillis().isPresent()
                    ? Optional.of(brokers.offsets(Map.of(
                            partition,
                            OffsetSpec.forTimestamp(asked.range().sinceMillis().getAsLong()))))
                    : Optional.empty();
        }

        boolean advance(long untilNanos) {
            AssignedReader.Stretch reading = stretch;
            if (reading == null) {
                if (!ends.isDone()
                        || !firsts.isDone()
                        || !young.map(KafkaFuture::isDone).orElse(true)) {
                    return false;
                }
                long end = offset(ends);
                to = Math.min(end, asked.range().to().orElse(end));
                companionPositions.put(partition.topic(), to);
                long begin = asked.range()
                        .begin(offset(firsts), young.map(this::offset).orElse(-1L), end);
                reading = reader.read(partition, begin, to);
                stretch = reading;
            }
            while (clock.nanoTime() - untilNanos < 0) {
                ConsumerRecord<byte[], ByteBuffer> record = reading.next();
                if (record != null) {
                    pass(record);
                } else if (reading.through()) {
                    unreadable.values().stream().findFirst().ifPresent(newest -> {
                        throw newest;
                    });
                    reading.end();
                    asked.through().accept(to);
                    return true;
                } else {
                    return false;
                }
            }
            return false;
        }

        private long offset(KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> answer) {
            return Objects.requireNonNull(Brokers.wait(answer, clock).get(partition))
                    .offset();
        }

        private void pass(ConsumerRecord<byte[], ByteBuffer> record) {
            Place place = new Place(record.topic(), record.offset());
            try {
                if (leftOut.test(place)) {
                    throw Records.crashed();
                }
                if (record.value() == null) {
                    asked.removed().accept(key(record));
                } else {
                    asked.each().accept(Records.decode(asked.topic(), record));
                }
                unreadable.remove(key(record));
            } catch (WireException e) {
                if (asked.required()) {
                    unreadable(
                            record,
                            new UnreadableStateException(
                                    record.topic() + "-" + record.partition() + "@" + record.offset(), e));
                } else {
                    AssignedReader.warnUnreadable(record, e);
                }
            } catch (InterruptException e) {
                throw e;
            } catch (Throwable e) {
                throw new CrashException(place, e);
            }
        }

        /**
         * In a compacted topic a record says nothing any more once a newer one of its key stands behind it, whether or not Kafka
         * has removed it yet; in a log each one counts.
         */
        private void unreadable(ConsumerRecord<byte[], ?> record, UnreadableStateException e) {
            if (!asked.topic().compacted() || record.key() == null) {
                throw e;
            }
            unreadable.put(key(record), e);
        }

        private static String key(ConsumerRecord<byte[], ?> record) {
            return record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
        }

        void end() {
            if (stretch != null) {
                stretch.end();
            }
        }
    }
}
