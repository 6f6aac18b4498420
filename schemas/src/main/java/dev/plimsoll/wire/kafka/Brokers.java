package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnstableOffsetCommitException;
import org.jspecify.annotations.Nullable;

/**
 * What a loop asks brokers about logs and offsets. Answers are futures, so that the loop's thread need not wait for them: a
 * consumer's own questions block. Any thread may ask.
 */
final class Brokers implements AutoCloseable {
    private final Admin admin;
    private final String group;

    Brokers(KafkaSettings settings, String role) {
        this.admin = Clients.admin(settings, ClientProperties.admin(settings, ClientProperties.CALL_TIMEOUT));
        this.group = Topic.PREFIX + role;
    }

    /** The first offset of what is asked for, seen as a reader of committed records does; negative when there is none. */
    KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> offsets(Map<TopicPartition, OffsetSpec> asked) {
        return admin.listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .all();
    }

    KafkaFuture<TopicDescription> topic(String name) {
        return admin.describeTopics(Set.of(name))
                .allTopicNames()
                .thenApply(topics -> Objects.requireNonNull(topics.get(name)));
    }

    /** What the group has committed, to be read with {@link #committed(Map, TopicPartition)}. */
    KafkaFuture<Map<TopicPartition, OffsetAndMetadata>> committed(TopicPartition partition) {
        // Asked for by name: only then is there an entry that says that nothing was committed.
        return admin.listConsumerGroupOffsets(
                        Map.of(group, new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(partition))),
                        new ListConsumerGroupOffsetsOptions().requireStable(true))
                .partitionsToOffsetAndMetadata(group);
    }

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

    long offset(TopicPartition partition, OffsetSpec asked) {
        return Objects.requireNonNull(wait(offsets(Map.of(partition, asked))).get(partition))
                .offset();
    }

    /** Waits for an answer, no longer than the client does. */
    static <T> T wait(KafkaFuture<T> answer) {
        try {
            return answer.get(2 * ClientProperties.CALL_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException("no answer from the brokers", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new KafkaException(e.getCause());
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
