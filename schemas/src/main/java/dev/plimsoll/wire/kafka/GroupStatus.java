package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Whether a role is at work on a deployment, as its group tells: who is in it, and how far it has read the deployment's partition.
 *
 * @param group its name
 * @param members in the group now, over all partitions
 * @param behind records between what the group has done and the end of the deployment's partition, marks of transactions among them;
 *     empty where it has never done anything there
 */
public record GroupStatus(String group, int members, OptionalLong behind) {

    /**
     * Asks; blocks, each question bounded by the time-out.
     *
     * @param role such as {@code planner}
     * @param input what the role's group reads
     */
    public static GroupStatus of(
            KafkaSettings settings, String role, Topic<?> input, Deployment deployment, Duration timeout) {
        String group = Topic.PREFIX + role;
        try (Admin admin = Clients.admin(settings, ClientProperties.admin(settings, timeout))) {
            int partitions = Objects.requireNonNull(
                            get(admin.describeTopics(List.of(input.name())).allTopicNames(), timeout)
                                    .get(input.name()))
                    .partitions()
                    .size();
            TopicPartition partition = new TopicPartition(input.name(), Topic.partition(deployment, partitions));
            ListOffsetsResultInfo end = get(
                    admin.listOffsets(Map.of(partition, OffsetSpec.latest())).partitionResult(partition), timeout);
            return new GroupStatus(
                    group, members(admin, group, timeout), behind(admin, group, partition, end, timeout));
        }
    }

    private static int members(Admin admin, String group, Duration timeout) {
        try {
            ConsumerGroupDescription described = get(
                            admin.describeConsumerGroups(List.of(group)).all(), timeout)
                    .get(group);
            return described == null ? 0 : described.members().size();
        } catch (GroupIdNotFoundException e) {
            return 0;
        }
    }

    private static OptionalLong behind(
            Admin admin, String group, TopicPartition partition, ListOffsetsResultInfo end, Duration timeout) {
        try {
            OffsetAndMetadata done = get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), timeout)
                    .get(partition);
            return done == null ? OptionalLong.empty() : OptionalLong.of(Math.max(0, end.offset() - done.offset()));
        } catch (GroupIdNotFoundException e) {
            return OptionalLong.empty();
        }
    }

    private static <T> T get(KafkaFuture<T> future, Duration timeout) {
        try {
            return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException failure ? failure : new KafkaException(e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException("no answer within " + timeout.toMillis() + " ms");
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }
}
