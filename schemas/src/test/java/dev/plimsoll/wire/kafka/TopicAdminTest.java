package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class TopicAdminTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @TempDir
    Path directory;

    private TestBroker broker;
    private TopicAdmin topics;
    private Admin admin;

    @BeforeEach
    void start() throws Exception {
        broker = new TestBroker(directory);
        topics = new TopicAdmin(broker.client(), PATIENCE);
        admin = Admin.create(ClientProperties.admin(broker.client(), PATIENCE));
    }

    @AfterEach
    void stop() {
        admin.close(Duration.ofSeconds(1));
        topics.close();
        broker.close();
    }

    @Test
    void missingTopicsGetThePartitionsOfThoseThatAreThere() throws Exception {
        create(Topic.WINDOWS, 3);
        await(() -> topics.missing().size() == Topic.all().size() - 1);
        assertThat(topics.missing()).hasSize(Topic.all().size() - 1).doesNotContain(Topic.WINDOWS.name());
        assertThat(topics.partitions()).hasValue(3);

        List<String> made = topics.create(64, OptionalInt.empty());

        assertThat(made).hasSize(Topic.all().size() - 1);
        await(() -> topics.missing().isEmpty());
        assertThat(topics.status()).allSatisfy(status -> {
            assertThat(status.partitions()).isEqualTo(3);
            assertThat(status.replicas()).as("the broker's default").isEqualTo(1);
        });
        assertThat(topics.warnings()).isEmpty();
    }

    @Test
    void unequalTopicsAreToldAndNothingIsAddedToThem() throws Exception {
        create(Topic.SAMPLES, 2);
        create(Topic.PLAN, 4);
        await(() -> topics.missing().size() == Topic.all().size() - 2);

        assertThatThrownBy(() -> topics.create(2, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(Topic.SAMPLES.name() + " 2")
                .hasMessageContaining(Topic.PLAN.name() + " 4");
        assertThat(topics.missing()).hasSize(Topic.all().size() - 2);
        assertThat(topics.warnings()).singleElement().asString().contains("unequal numbers of partitions");
    }

    @Test
    void aTopicThatHasGrownDiffersFromTheRest() throws Exception {
        topics.create(2, 1);
        await(() -> topics.missing().isEmpty());
        admin.createPartitions(Map.of(Topic.ACKS.name(), NewPartitions.increaseTo(5)))
                .all()
                .get();

        await(() -> topics.status().stream().anyMatch(status -> status.partitions() == 5));
        assertThat(topics.status())
                .allSatisfy(status -> assertThat(status.differences())
                        .isEqualTo(
                                status.topic() == Topic.ACKS
                                        ? List.of("partitions is 5, should be 2 as in "
                                                + Topic.all().get(0).name())
                                        : List.of()));
    }

    @Test
    void aClusterThatIsAwayIsATimeoutThatNamesIt() {
        broker.stop();
        try (TopicAdmin away = new TopicAdmin(broker.client(), Duration.ofSeconds(1))) {
            assertThatThrownBy(away::missing).isInstanceOf(TimeoutException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void aLoopThatStartedBeforeItsTopicsGetsItsPartitions(String protocol) {
        Set<Integer> recovered = ConcurrentHashMap.newKeySet();
        KafkaSettings settings =
                new KafkaSettings(broker.client().bootstrapServers(), Map.of("group.protocol", protocol));
        try (PartitionLoop<Outcome> loop = new PartitionLoop<>(
                settings,
                "early",
                Topic.OUTCOMES,
                number -> new Idle() {
                    @Override
                    public long recovered(InputLog input) {
                        recovered.add(number);
                        return input.first();
                    }
                },
                PartitionLoop.Listener.NONE)) {
            loop.start();
            await(loop::joined);
            assertThat(recovered).isEmpty();

            topics.create(2, 1);

            await(() -> recovered.size() == 2);
            assertThat(loop.joined()).isTrue();
        }
    }

    /** Work that is none. */
    private abstract static class Idle implements PartitionTask<Outcome> {
        @Override
        public void onRecord(Received<Outcome> record) {}

        @Override
        public void onUnreadable(Quarantined record, long timestampMillis) {}

        @Override
        public Optional<Transaction> takeTransaction() {
            return Optional.empty();
        }
    }

    private void create(Topic<?> topic, int partitions) throws ExecutionException, InterruptedException {
        admin.createTopics(List.of(new NewTopic(topic.name(), partitions, (short) 1).configs(topic.settings())))
                .all()
                .get();
    }

    /** Brokers learn of a new topic a moment after it was made. */
    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited in vain").isLessThan(deadline);
            LockSupport.parkNanos(5_000_000);
        }
    }
}
