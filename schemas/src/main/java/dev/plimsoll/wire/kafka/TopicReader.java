package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import reactor.core.publisher.Flux;

/**
 * The bridge to Reactor: topics read without a group, only what is committed, as a stream of partitions that are streams of
 * batches.
 *
 * <p>One thread owns the consumer. Demand is counted in batches per partition; a partition without demand is paused, the others go
 * on, and poll never waits for anybody downstream. Closing (or cancelling the outer stream) completes every inner stream.
 *
 * <p>A cluster that is away, or a topic that is not there yet, is waited for. What cannot be mended by waiting (wrong credentials,
 * missing rights) is an error of the outer stream.
 */
public final class TopicReader {

    /** Where reading starts. */
    public sealed interface Start {
        record Beginning() implements Start {}

        record End() implements Start {}

        record Since(long timestampMillis) implements Start {}

        /**
         * Of one deployment: some stretches of its partition, and then on from an offset. What is between them may be passed on too. Where
         * the log ends before, it is another one, and read from its beginning.
         *
         * @param stretches first offset and offset behind the last, of one after the other, ascending and before {@code from}
         */
        record At(LongVector stretches, long from) implements Start {
            /** From that offset on. */
            public static At offset(long from) {
                return new At(LongVector.empty(), from);
            }

            long first() {
                return stretches.size() == 0 ? from : stretches.at(0);
            }

            /** Where to go on instead of at that position. */
            long next(long position) {
                for (int i = 0; i < stretches.size(); i += 2) {
                    if (position < stretches.at(i + 1)) {
                        return Math.max(position, stretches.at(i));
                    }
                }
                return Math.max(position, from);
            }
        }

        /** Clocks of whoever numbers an incarnation and of whoever writes for it may differ by that much. */
        Duration CLOCKS_DIFFER = Duration.ofMinutes(10);

        /**
         * Where the records of an incarnation begin, in a topic that is dated by its writers. Numbers are chosen by the clock
         * unless somebody gives others: of one that can be a time it is known that nobody has written for it before. Any other
         * says nothing, and its records may stand anywhere from the beginning on.
         *
         * @param nowMillis what is after it by more than {@link #CLOCKS_DIFFER} cannot have been taken from a clock
         */
        static Start ofIncarnation(long incarnation, long nowMillis) {
            return incarnation >= FIRST_TIME && incarnation <= nowMillis + CLOCKS_DIFFER.toMillis()
                    ? new Since(incarnation - CLOCKS_DIFFER.toMillis())
                    : new Beginning();
        }

        /** Older than this project; lower numbers are counted by hand. */
        long FIRST_TIME = Instant.parse("2020-01-01T00:00:00Z").toEpochMilli();
    }

    /** The records of one partition that one poll brought, in order, at least one. */
    public record PartitionBatch<T>(int partition, List<Received<T>> records) {}

    /** One partition of one topic. */
    public record PartitionStream<T>(Topic<T> topic, int partition, Flux<PartitionBatch<T>> batches) {}

    private TopicReader() {}

    /**
     * All partitions of a topic. Cold: each subscription opens a consumer and, at its end, closes it. The inner streams are for one
     * subscriber each; signals come on the consumer's thread, which must not be blocked.
     *
     * @param unreadable told of records that cannot be decoded, which are then left out
     */
    public static <T> Flux<PartitionStream<T>> partitions(
            KafkaSettings settings, Topic<T> topic, Start start, Consumer<Quarantined> unreadable) {
        return partitions(settings, topic, Optional.empty(), start, unreadable);
    }

    private static <T> Flux<PartitionStream<T>> partitions(
            KafkaSettings settings,
            Topic<T> topic,
            Optional<Deployment> only,
            Start start,
            Consumer<Quarantined> unreadable) {
        // The outer buffer is bounded by the number of partitions.
        return Flux.create(sink -> {
            ReadingThread<T> reading = new ReadingThread<>(settings, topic, only, start, unreadable, sink);
            sink.onDispose(reading::stopReading);
            reading.start();
        });
    }

    /** All records of a topic, in order within each partition: {@link #partitions} flattened. */
    public static <T> Flux<Received<T>> records(
            KafkaSettings settings, Topic<T> topic, Start start, Consumer<Quarantined> unreadable) {
        return flattened(partitions(settings, topic, Optional.empty(), start, unreadable));
    }

    /**
     * The records of one deployment, in order: reads no partition but its own, and decodes no record but its own.
     *
     * @param topic one whose records are put where their deployment belongs
     * @param unreadable told of the deployment's records that cannot be decoded
     */
    public static <T> Flux<Received<T>> records(
            KafkaSettings settings,
            Topic<T> topic,
            Deployment deployment,
            Start start,
            Consumer<Quarantined> unreadable) {
        if (topic == Topic.AGGREGATOR_STATE || topic == Topic.QUARANTINE) {
            throw new IllegalArgumentException(topic + " is put by the partition of its input: read all of it");
        }
        return flattened(partitions(settings, topic, Optional.of(deployment), start, unreadable));
    }

    private static <T> Flux<Received<T>> flattened(Flux<PartitionStream<T>> partitions) {
        // Concurrency must cover all partitions, or the last ones would wait for the first ones to end.
        return partitions.flatMap(
                partition -> partition.batches().concatMapIterable(PartitionBatch::records, 1), Integer.MAX_VALUE, 64);
    }
}
