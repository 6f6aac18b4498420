package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The input's log is another one, shorter, or spread over more partitions than before. */
final class LogChangeTest {
    private static final int PARTITIONS = 2;
    private static final TopicPartition INPUT = new TopicPartition(Topic.SAMPLES.name(), 0);
    private static final Pace LOOKING = new Pace(Duration.ofMillis(300), Duration.ofMillis(500));

    @TempDir
    Path directory;

    private TestBroker broker;
    private Admin admin;
    private volatile Runnable whenRecovering = () -> {};
    private final List<InputLog> logs = new CopyOnWriteArrayList<>();
    private final List<Integer> quarantined = new CopyOnWriteArrayList<>();
    private final List<Integer> reset = new CopyOnWriteArrayList<>();

    @BeforeEach
    void start() throws Exception {
        broker = new TestBroker(directory);
        try (TopicAdmin topics = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
            topics.create(PARTITIONS, 1);
            Chain.await(() -> topics.missing().isEmpty());
        }
        admin = Admin.create(ClientProperties.admin(broker.client(), Duration.ofSeconds(10)));
    }

    @AfterEach
    void stop() {
        admin.close(Duration.ofSeconds(1));
        broker.close();
    }

    /** Notes which log it has read, and starts over in another. */
    private class WaryTask extends ChainTask {
        private String topicId = "";

        WaryTask() {
            super(() -> {});
        }

        @Override
        public long recovered(InputLog input) {
            logs.add(input);
            topicId = input.topicId();
            if (input.partition() == 0) {
                whenRecovering.run();
            }
            long committed = super.recovered(input);
            return input.note().isEmpty() || input.note().equals(topicId) ? committed : input.first();
        }

        @Override
        public Optional<Transaction> takeTransaction() {
            return super.takeTransaction()
                    .map(taken -> new Transaction(taken.outputs(), taken.nextInputOffset(), topicId));
        }
    }

    private PartitionLoop<SampleRecord> loop(
            String role, Pace pace, Function<Map<String, Object>, Producer<byte[], byte[]>> writers) {
        PartitionLoop.Listener listener = new PartitionLoop.Listener() {
            @Override
            public void onReset(int partition, Throwable cause) {
                reset.add(partition);
            }

            @Override
            public void onQuarantined(int partition, Throwable cause) {
                quarantined.add(partition);
            }
        };
        return new PartitionLoop<>(
                broker.client(), role, Topic.SAMPLES, partition -> new WaryTask(), listener, pace, writers);
    }

    @Test
    void aTopicThatWasDeletedAndMadeAgainIsReadFromItsBeginning() throws Exception {
        Deployment deployment = Chain.deploymentOf("again", 0, PARTITIONS);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> loop = loop("again", LOOKING, KafkaProducer::new)) {
            loop.start();
            Chain.write(broker.client(), deployment, 1, 10);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 10);
            Chain.await(loop::settled);
            String before = logs.get(0).topicId();

            // when
            admin.deleteTopics(List.of(Topic.SAMPLES.name())).all().get();
            Chain.await(() -> !loop.settled());
            assertThat(loop.alive()).isTrue();
            makeAgain();
            Chain.write(broker.client(), deployment, 11, 5);

            // then
            Chain.await(() -> Chain.permits(plan, deployment).size() == 15);
            Chain.await(loop::settled);
            assertThat(logs.get(logs.size() - 1).topicId()).isNotEqualTo(before);
        }
        assertThat(quarantined).isEmpty();
        Chain.assertChain(broker.client(), deployment, 15);
    }

    /** Brokers take a moment until a name is free again. */
    private void makeAgain() {
        Chain.await(() -> {
            try {
                admin.createTopics(List.of(new NewTopic(Topic.SAMPLES.name(), PARTITIONS, (short) 1)
                                .configs(Topic.SAMPLES.settings())))
                        .all()
                        .get();
                return true;
            } catch (ExecutionException e) {
                return false;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void aTaskThatWantsToGoOnBehindTheEndIsLeftAloneInsteadOfAlternating() {
        Deployment deployment = Chain.deploymentOf("behind", 0, PARTITIONS);
        Chain.write(broker.client(), deployment, 1, 3);
        List<Throwable> causes = new CopyOnWriteArrayList<>();
        AtomicInteger resets = new AtomicInteger();
        try (PartitionLoop<SampleRecord> loop = new PartitionLoop<>(
                broker.client(),
                "behind",
                Topic.SAMPLES,
                partition -> new ChainTask(() -> {}) {
                    @Override
                    public long recovered(InputLog input) {
                        return partition == 0 ? input.end() + 100 : super.recovered(input);
                    }
                },
                new PartitionLoop.Listener() {
                    @Override
                    public void onReset(int partition, Throwable cause) {
                        resets.incrementAndGet();
                    }

                    @Override
                    public void onQuarantined(int partition, Throwable cause) {
                        causes.add(cause);
                    }
                },
                LOOKING,
                KafkaProducer::new)) {
            loop.start();
            Chain.await(() -> causes.size() == 3);
            assertThat(loop.settled()).isFalse();
        }
        assertThat(causes).allSatisfy(cause -> assertThat(cause).hasMessageContaining("offset 103"));
        assertThat(resets).hasValue(0);
    }

    @Test
    void aLogThatIsCutAheadOfItsReaderIsRecoveredOnce() {
        // given: a log that is cut when its reader has looked where it begins, and before it reads
        Deployment deployment = Chain.deploymentOf("cut", 0, PARTITIONS);
        Chain.write(broker.client(), deployment, 1, 10);
        whenRecovering = () -> cutBefore(8);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> loop = loop("cut", LOOKING, KafkaProducer::new)) {
            // when
            loop.start();

            // then
            Chain.await(() -> Chain.permits(plan, deployment).size() == 2);
            assertThat(Chain.permits(plan, deployment))
                    .extracting(permit -> permit.header().incarnation())
                    .containsExactly(9L, 10L);
        }
        assertThat(logs)
                .filteredOn(log -> log.partition() == 0)
                .extracting(InputLog::first)
                .containsExactly(0L, 8L);
        assertThat(reset).containsExactly(0);
    }

    @Test
    void recordsThatFollowNewPartitionsAreNotTakenForMisplaced() throws Exception {
        // given: a deployment that belongs to partition 0 of three, but to partition 1 of two
        Deployment deployment = IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> new Deployment("grown" + i))
                .filter(candidate -> Topic.partition(candidate, 2) == 1 && Topic.partition(candidate, 3) == 0)
                .findFirst()
                .orElseThrow();
        Pace unhurried = new Pace(Duration.ofMillis(300), Duration.ofMinutes(5));
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                LiveView<Quarantined> quarantine = new LiveView<>(broker.client(), Topic.QUARANTINE);
                PartitionLoop<SampleRecord> loop = loop("grown", unhurried, KafkaProducer::new)) {
            loop.start();
            Chain.await(() -> logs.size() == 2);

            // when
            admin.createPartitions(Map.of(Topic.SAMPLES.name(), NewPartitions.increaseTo(3)))
                    .all()
                    .get();
            Chain.await(this::hasGrown);
            Chain.write(broker.client(), deployment, 1, 3);

            // then
            Chain.await(() -> Chain.permits(plan, deployment).size() == 3);
            assertThat(quarantine.values()).isEmpty();
            assertThat(logs)
                    .filteredOn(log -> log.partition() == 0)
                    .last()
                    .extracting(InputLog::partitions)
                    .isEqualTo(3);
        }
    }

    private boolean hasGrown() {
        try {
            var topics = admin.describeTopics(List.of(Topic.SAMPLES.name()))
                    .allTopicNames()
                    .get();
            return Objects.requireNonNull(topics.get(Topic.SAMPLES.name()))
                            .partitions()
                            .size()
                    == 3;
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aCutThatTookMarkersAndAbortedRecordsOnlyIsNoLoss() throws Exception {
        // given: offsets 0 to 2 with records, 3 with a marker, 4 and 5 aborted, 6 with a marker
        Deployment deployment = Chain.deploymentOf("markers", 0, PARTITIONS);
        try (KafkaProducer<byte[], byte[]> writer =
                        new KafkaProducer<>(Commit.writerProperties(broker.client(), "markers"));
                LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN)) {
            writer.initTransactions();
            try (PartitionLoop<SampleRecord> loop = loop("markers", LOOKING, KafkaProducer::new)) {
                loop.start();
                writer.beginTransaction();
                send(writer, deployment, 1, 3);
                writer.commitTransaction();
                Chain.await(() -> Chain.permits(plan, deployment).size() == 3);
                writer.beginTransaction();
                send(writer, deployment, 98, 2);
                writer.flush();
                writer.abortTransaction();
                Chain.await(() -> covered("markers") == 7);
            }
            assertThat(end()).isEqualTo(7);

            // when: all of that is cut off
            cutBefore(7);
            logs.clear();
            try (PartitionLoop<SampleRecord> loop = loop("markers", LOOKING, KafkaProducer::new)) {
                loop.start();
                Chain.write(broker.client(), deployment, 4, 3);
                Chain.await(() -> Chain.permits(plan, deployment).size() == 6);
            }
            // then: nothing is missing
            assertThat(logs).filteredOn(log -> log.partition() == 0).allSatisfy(log -> {
                assertThat(log.committed()).hasValue(3);
                assertThat(log.first()).isEqualTo(3);
            });

            // and when records are cut off that nobody has read
            Chain.write(broker.client(), deployment, 7, 3);
            cutBefore(12);
            logs.clear();
            try (PartitionLoop<SampleRecord> loop = loop("markers", LOOKING, KafkaProducer::new)) {
                loop.start();
                Chain.await(() -> Chain.permits(plan, deployment).size() == 7);
            }
            assertThat(logs).filteredOn(log -> log.partition() == 0).allSatisfy(log -> {
                assertThat(log.committed()).hasValue(10);
                assertThat(log.first()).isEqualTo(12);
            });
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> writer, Deployment deployment, int from, int count) {
        for (int n = from; n < from + count; n++) {
            var unused = writer.send(new ProducerRecord<>(
                    Topic.SAMPLES.name(),
                    0,
                    deployment.id().getBytes(StandardCharsets.UTF_8),
                    Topic.SAMPLES.encode(new End(deployment, n))));
        }
    }

    /** Up to which offset the group knows that there is no record behind what it has committed. */
    private long covered(String role) {
        try (Brokers brokers = new AdminBrokers(broker.client(), role)) {
            var committed =
                    Brokers.wait(brokers.committed(INPUT), LoopClock.SYSTEM).get(INPUT);
            return committed == null
                    ? 0
                    : committed.offset() + CommitNote.of(committed).empty();
        }
    }

    private long end() throws Exception {
        return admin.listOffsets(Map.of(INPUT, OffsetSpec.latest()))
                .partitionResult(INPUT)
                .get()
                .offset();
    }

    private void cutBefore(long offset) {
        try {
            admin.deleteRecords(Map.of(INPUT, RecordsToDelete.beforeOffset(offset)))
                    .all()
                    .get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }
}
