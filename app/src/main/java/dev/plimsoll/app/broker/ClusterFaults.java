package dev.plimsoll.app.broker;

import dev.plimsoll.wire.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What befalls a running cluster from inside: partitions that move between its brokers, and records of the aggregator's state that are
 * overwritten. Also how an operator sees that all is well again, and puts a state back.
 *
 * <p>One thread at a time. Calls are bounded by {@link #LONGEST} each.
 */
public final class ClusterFaults implements AutoCloseable {
    /** Longest that anything is waited for: a partition's copy, an answer. */
    public static final Duration LONGEST = Duration.ofSeconds(60);

    private static final long LOOK_MILLIS = 100;
    private static final byte[] GARBAGE = "no state, but a fault of plimsoll chaos".getBytes(StandardCharsets.UTF_8);
    /** The topics that the streams stand on: ours, and those of groups and transactions. */
    private static final List<String> MOVED = List.of(
            Topic.SAMPLES.name(),
            Topic.WINDOWS.name(),
            Topic.WINDOW_SUMMARIES.name(),
            Topic.AGGREGATOR_STATE.name(),
            "__consumer_offsets",
            "__transaction_state");

    private final String bootstrapServers;
    private final Admin admin;

    /**
     * A state record that was overwritten.
     *
     * @param offset of the record that was written over it
     */
    public record Damage(int partition, String key, long offset) {}

    public ClusterFaults(String bootstrapServers) {
        this.bootstrapServers = bootstrapServers;
        this.admin = Admin.create(Map.of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrapServers,
                AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                (int) Duration.ofSeconds(20).toMillis(),
                AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
                (int) Duration.ofSeconds(5).toMillis()));
    }

    /** Whether every partition has all its replicas, in sync, and none is being moved; false too while nobody answers. */
    public boolean inSync() {
        try {
            Set<String> topics = get(
                    admin.listTopics(new ListTopicsOptions().listInternal(true)).names());
            return get(admin.describeTopics(topics).allTopicNames()).values().stream()
                            .flatMap(topic -> topic.partitions().stream())
                            .allMatch(partition -> partition.leader() != null
                                    && partition.isr().size()
                                            == partition.replicas().size())
                    && get(admin.listPartitionReassignments().reassignments()).isEmpty();
        } catch (KafkaException e) {
            return false;
        }
    }

    /**
     * Moves a partition: its leader loses it with all its data, then copies it back as the last of its replicas, and the new first one
     * is made its leader.
     *
     * @param goOn asked while waiting; false ends it early
     * @return what was moved, for people
     */
    public String movePartition(RandomGenerator random, BooleanSupplier goOn) {
        List<TopicPartition> there = MOVED.stream()
                .flatMap(topic ->
                        partitions(topic).stream().map(partition -> new TopicPartition(topic, partition.partition())))
                .toList();
        TopicPartition moved = there.get(random.nextInt(there.size()));
        List<Integer> before = replicas(moved);
        int left = leader(moved).orElse(before.get(0));
        List<Integer> others =
                new ArrayList<>(before.stream().filter(node -> node != left).toList());
        Collections.shuffle(others, new java.util.Random(random.nextLong()));
        reassign(moved, others, goOn);
        List<Integer> after = Stream.concat(others.stream(), Stream.of(left)).toList();
        reassign(moved, after, goOn);
        preferLeader(moved);
        return moved + " from broker " + left + " to " + others.get(0) + " and back as a copy";
    }

    private void reassign(TopicPartition partition, List<Integer> replicas, BooleanSupplier goOn) {
        get(admin.alterPartitionReassignments(Map.of(partition, Optional.of(new NewPartitionReassignment(replicas))))
                .all());
        await(
                "the move of " + partition + " to " + replicas,
                goOn,
                () -> get(admin.listPartitionReassignments(Set.of(partition)).reassignments())
                                .isEmpty()
                        && replicas(partition).equals(replicas));
    }

    private void preferLeader(TopicPartition partition) {
        try {
            get(admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).all());
        } catch (ElectionNotNeededException e) {
            // It leads already.
        }
    }

    private List<Integer> replicas(TopicPartition partition) {
        return info(partition).replicas().stream().map(node -> node.id()).toList();
    }

    private Optional<Integer> leader(TopicPartition partition) {
        return Optional.ofNullable(info(partition).leader()).map(node -> node.id());
    }

    private TopicPartitionInfo info(TopicPartition partition) {
        return partitions(partition.topic()).stream()
                .filter(info -> info.partition() == partition.partition())
                .findFirst()
                .orElseThrow();
    }

    private Collection<TopicPartitionInfo> partitions(String topic) {
        return get(admin.describeTopics(Set.of(topic)).allTopicNames()).values().stream()
                .flatMap(description -> description.partitions().stream())
                .toList();
    }

    /** Overwrites one of the records that an aggregator would go on from with what is no state. Nobody may own the partition. */
    public Damage damageState(int partition, RandomGenerator random) {
        List<String> keys = state(partition).stream()
                .map(CommittedRecords::key)
                .distinct()
                .sorted()
                .toList();
        if (keys.isEmpty()) {
            throw new IllegalStateException("partition " + partition + " has no state yet");
        }
        String key = keys.get(random.nextInt(keys.size()));
        return new Damage(partition, key, write(partition, key, GARBAGE));
    }

    /**
     * What an operator does when a partition is left alone as its state cannot be read: writes the newest record of the key before the
     * damaged one anew. Does nothing where somebody has written that key since.
     */
    public void restoreState(Damage damage) {
        List<ConsumerRecord<byte[], byte[]>> ofKey = state(damage.partition()).stream()
                .filter(record -> CommittedRecords.key(record).equals(damage.key()))
                .toList();
        if (ofKey.stream().anyMatch(record -> record.offset() > damage.offset())) {
            return;
        }
        byte[] good = ofKey.stream()
                .filter(record -> record.offset() < damage.offset())
                .reduce((older, newer) -> newer)
                .orElseThrow(() -> new IllegalStateException("nothing is left of '" + damage.key() + "' before offset "
                        + damage.offset() + ": compacted away"))
                .value();
        write(damage.partition(), damage.key(), good);
    }

    private List<ConsumerRecord<byte[], byte[]>> state(int partition) {
        return new CommittedRecords(bootstrapServers, LONGEST).raw(Topic.AGGREGATOR_STATE.name(), partition);
    }

    private long write(int partition, String key, byte[] value) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        bootstrapServers,
                        ProducerConfig.MAX_BLOCK_MS_CONFIG,
                        LONGEST.toMillis()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            return producer.send(new ProducerRecord<>(
                            Topic.AGGREGATOR_STATE.name(), partition, key.getBytes(StandardCharsets.UTF_8), value))
                    .get(LONGEST.toMillis(), TimeUnit.MILLISECONDS)
                    .offset();
        } catch (ExecutionException e) {
            throw new KafkaException(e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException("no broker took the state record within " + LONGEST, e);
        } catch (InterruptedException e) {
            throw new org.apache.kafka.common.errors.InterruptException(e);
        }
    }

    /** @throws TimeoutException when it is not so in time, nor when nobody wants it any more */
    private static void await(String what, BooleanSupplier goOn, BooleanSupplier condition) {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (!condition.getAsBoolean()) {
            if (!goOn.getAsBoolean() || System.nanoTime() - deadline > 0) {
                throw new TimeoutException("waited in vain for " + what);
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                throw new org.apache.kafka.common.errors.InterruptException(e);
            }
        }
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(LONGEST.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException failure ? failure : new KafkaException(e.getCause());
        } catch (java.util.concurrent.TimeoutException e) {
            throw new TimeoutException("no answer within " + LONGEST, e);
        } catch (InterruptedException e) {
            throw new org.apache.kafka.common.errors.InterruptException(e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}
