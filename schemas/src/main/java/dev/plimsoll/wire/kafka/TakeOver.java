package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Takes a partition over: fences the predecessor where there can be one, and only then looks at what it has left. Blocks for
 * seconds where brokers are slow, so it runs on a helper's thread and its result is fetched by the loop's.
 *
 * <p>One that is given up may still fence: the partition's next owner then recovers once more, as from any other fence.
 */
final class TakeOver {
    /**
     * What was found.
     *
     * @param writer null where nobody had to be fenced
     * @param start the first offset that exists; {@link InputLog#first} may lie below it where only markers were cut off
     * @param emptyBefore up to where no record follows what is committed, as far as was said with it
     */
    record Found(@Nullable Producer<byte[], byte[]> writer, InputLog log, long start, long emptyBefore) {
        void discard() {
            if (writer != null) {
                writer.close(Duration.ZERO);
            }
        }
    }

    private final Brokers brokers;
    private final LoopClock clock;
    private final CompletableFuture<Found> found;
    private volatile boolean givenUp;

    TakeOver(
            Executor helpers,
            TopicPartition input,
            boolean mustFence,
            Brokers brokers,
            LoopClock clock,
            Supplier<Producer<byte[], byte[]>> writers) {
        this.brokers = brokers;
        this.clock = clock;
        found = CompletableFuture.supplyAsync(() -> find(input, mustFence, writers), helpers);
    }

    boolean done() {
        return found.isDone();
    }

    /** What was found; throws what went wrong, in a {@link java.util.concurrent.CompletionException}. */
    Found result() {
        return found.join();
    }

    /** Nobody waits for it any more. */
    void giveUp() {
        givenUp = true;
        var unused = found.thenAccept(Found::discard);
    }

    private Found find(TopicPartition input, boolean mustFence, Supplier<Producer<byte[], byte[]>> writers) {
        Producer<byte[], byte[]> writer = null;
        try {
            if (!givenUp && (mustFence || offset(input, OffsetSpec.latest()) > 0 || mayHaveCommitted(input))) {
                writer = writers.get();
                writer.initTransactions();
            }
            OffsetAndMetadata committed = Brokers.committed(Brokers.wait(brokers.committed(input), clock), input);
            long start = offset(input, OffsetSpec.earliest());
            long end = offset(input, OffsetSpec.latest());
            TopicDescription topic = Brokers.wait(brokers.topic(input.topic()), clock);
            CommitNote note = CommitNote.of(committed);
            return new Found(
                    writer,
                    new InputLog(
                            input.partition(),
                            topic.partitions().size(),
                            topic.topicId().toString(),
                            committed == null ? start : note.first(committed.offset(), start),
                            end,
                            committed == null ? OptionalLong.empty() : OptionalLong.of(committed.offset()),
                            note.text()),
                    start,
                    committed == null ? 0 : committed.offset() + note.empty());
        } catch (Throwable failure) {
            if (writer != null) {
                writer.close(Duration.ZERO);
            }
            throw failure;
        }
    }

    /**
     * Whether somebody has written without having read, or is about to: what he has committed may not be readable yet, and what he has
     * left open would hold everything up until the brokers end it.
     */
    private boolean mayHaveCommitted(TopicPartition input) {
        Map<TopicPartition, OffsetAndMetadata> answer = Brokers.wait(brokers.committed(input), clock);
        return !answer.containsKey(input) || answer.get(input) != null;
    }

    private long offset(TopicPartition partition, OffsetSpec asked) {
        return Objects.requireNonNull(Brokers.wait(brokers.offsets(Map.of(partition, asked)), clock)
                        .get(partition))
                .offset();
    }
}
