package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/** Asks by an admin client. Any thread may ask. */
final class AdminBrokers implements Brokers {
    private final Admin admin;
    private final String group;

    AdminBrokers(KafkaSettings settings, String role) {
        this.admin = Clients.admin(settings, ClientProperties.admin(settings, ClientProperties.CALL_TIMEOUT));
        this.group = Topic.PREFIX + role;
    }

    @Override
    public KafkaFuture<Map<TopicPartition, ListOffsetsResultInfo>> offsets(Map<TopicPartition, OffsetSpec> asked) {
        return admin.listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .all();
    }

    @Override
    public KafkaFuture<TopicDescription> topic(String name) {
        return admin.describeTopics(Set.of(name))
                .allTopicNames()
                .thenApply(topics -> Objects.requireNonNull(topics.get(name)));
    }

    @Override
    public KafkaFuture<Map<TopicPartition, OffsetAndMetadata>> committed(TopicPartition partition) {
        // Asked for by name: only then is there an entry that says that nothing was committed.
        return admin.listConsumerGroupOffsets(
                        Map.of(group, new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(partition))),
                        new ListConsumerGroupOffsetsOptions().requireStable(true))
                .partitionsToOffsetAndMetadata(group);
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
