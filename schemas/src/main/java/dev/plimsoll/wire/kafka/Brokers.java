package dev.plimsoll.wire.kafka;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnstableOffsetCommitException;
import org.jspecify.annotations.Nullable;

/**
 * What a loop asks brokers about logs and offsets. Answers are futures, so that the loop's thread need not wait for them: a
 * consumer's own questions block.
 */
interface Brokers extends AutoCloseable {
    /** The first offset of what is asked for, seen as a reader of committed records does; negative when there is none. */
    KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> offsets(Map<TopicPartition, OffsetSpec> asked);

    KafkaFuture<TopicDescription> topic(String name);

    /** What the group has committed, to be read with {@link #committed(Map, TopicPartition)}. */
    KafkaFuture<Map<TopicPartition, OffsetAndMetadata>> committed(TopicPartition partition);

    @Override
    void close();

    /**
     * What an answer says of a partition, null when nothing was ever committed.
     *
     * @throws UnstableOffsetCommitException when it says nothing: brokers leave out what a commit may still change
     */
    static @Nullable OffsetAndMetadata committed(
            Map<TopicPartition, @Nullable OffsetAndMetadata> answer, TopicPartition partition) {
        if (!answer.containsKey(partition)) {
            throw new UnstableOffsetCommitException(
                    "the brokers do not say what is committed for " + partition + " while a commit may be under way");
        }
        return answer.get(partition);
    }

    /** Waits for an answer, no longer than the client does. */
    static <T> T wait(KafkaFuture<T> answer, LoopClock clock) {
        try {
            return clock.await(answer, 2 * ClientProperties.CALL_TIMEOUT.toNanos());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException("no answer from the brokers", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new KafkaException(e.getCause());
        }
    }
}
