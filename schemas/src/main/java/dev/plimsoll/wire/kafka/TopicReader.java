package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import java.util.List;
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
        // The outer buffer is bounded by the number of partitions.
        return Flux.create(sink -> {
            ReadingThread<T> reading = new ReadingThread<>(settings, topic, start, unreadable, sink);
            sink.onDispose(reading::stopReading);
            reading.start();
        });
    }

    /** All records of a topic, in order within each partition: {@link #partitions} flattened. */
    public static <T> Flux<Received<T>> records(
            KafkaSettings settings, Topic<T> topic, Start start, Consumer<Quarantined> unreadable) {
        // Concurrency must cover all partitions, or the last ones would wait for the first ones to end.
        return partitions(settings, topic, start, unreadable)
                .flatMap(
                        partition -> partition.batches().concatMapIterable(PartitionBatch::records, 1),
                        Integer.MAX_VALUE,
                        64);
    }
}
