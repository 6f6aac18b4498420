package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The exactly-once loop against a real broker. The task under test chains: END records number n comes in, a PERMIT with number n
 * goes out, so that any loss, duplicate or change of order breaks the chain.
 */
final class PartitionLoopTest {
    private static final int PARTITIONS = 2;
    private static final Duration PATIENCE = Chain.PATIENCE;

    @TempDir
    static Path directory;

    private static TestBroker broker;

    @BeforeAll
    static void start() throws Exception {
        broker = new TestBroker(directory);
        try (TopicAdmin admin = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
            admin.create(PARTITIONS, 1);
            assertThat(admin.warnings()).isEmpty();
            Chain.await(() -> admin.missing().isEmpty());
            assertThat(admin.status())
                    .allSatisfy(status -> assertThat(status.differences()).isEmpty());
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void outputsFormAnExactChainWhateverFails(String protocol) {
        // given: a task that throws at random points, a loop that is closed and made anew under way
        KafkaSettings settings = with("group.protocol", protocol);
        List<Deployment> deployments =
                List.of(Chain.deploymentOf(protocol, 0, PARTITIONS), Chain.deploymentOf(protocol, 1, PARTITIONS));
        Random random = new Random(7);
        AtomicInteger resets = new AtomicInteger();
        AtomicBoolean dangerous = new AtomicBoolean(true);
        Runnable hazard = () -> {
            synchronized (random) {
                if (dangerous.get() && random.nextInt(100) == 0) {
                    throw new IllegalStateException("injected, seed 7");
                }
            }
        };
        PartitionLoop.Listener listener = new PartitionLoop.Listener() {
            @Override
            public void onReset(int partition, Throwable cause) {
                resets.incrementAndGet();
            }
        };

        // when
        int stages = 3;
        int perStage = 40;
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN)) {
            for (int stage = 0; stage < stages; stage++) {
                dangerous.set(true);
                try (PartitionLoop<SampleRecord> loop = loop(settings, protocol, hazard, listener)) {
                    loop.start();
                    for (Deployment deployment : deployments) {
                        Chain.write(broker.client(), deployment, stage * perStage + 1, perStage);
                    }
                    int enough = stage * perStage + perStage / 2;
                    Chain.await(() -> deployments.stream()
                            .allMatch(d -> Chain.permits(plan, d).size() >= enough));
                    if (stage == stages - 1) {
                        dangerous.set(false);
                        Chain.await(() -> deployments.stream()
                                .allMatch(d -> Chain.permits(plan, d).size() >= stages * perStage));
                    }
                }
            }
        }

        // then
        assertThat(resets.get()).as("injected failures").isPositive();
        Chain.assertChains(
                broker.client(),
                deployments.stream().collect(Collectors.toMap(Function.identity(), each -> stages * perStage)));
    }

    @Test
    void aMemberThatLostItsPartitionsIsFencedWhenItComesBack() throws Exception {
        // given: a member that stands still inside its task until the group has given it up
        KafkaSettings settings = with("max.poll.interval.ms", "2000");
        Deployment deployment = Chain.deploymentOf("zombie", 0, PARTITIONS);
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicBoolean forgotten = new AtomicBoolean();
        PartitionLoop.Listener listener = new PartitionLoop.Listener() {
            @Override
            public void onReset(int partition, Throwable cause) {
                assertThat(KafkaFailure.of(cause)).isEqualTo(KafkaFailure.RESET);
                forgotten.set(true);
            }

            @Override
            public void onRevoked(int partition) {
                forgotten.set(true);
            }
        };
        Chain.write(broker.client(), deployment, 1, 10);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> zombie = new PartitionLoop<>(
                        settings,
                        "zombie",
                        Topic.SAMPLES,
                        partition -> new ChainTask(() -> {}) {
                            @Override
                            public void onRecord(Received<SampleRecord> record) {
                                super.onRecord(record);
                                if (record.value().deployment().equals(deployment)) {
                                    stuck.countDown();
                                    uninterrupted(goOn);
                                }
                            }
                        },
                        listener);
                PartitionLoop<SampleRecord> successor =
                        loop(settings, "zombie", () -> {}, PartitionLoop.Listener.NONE)) {
            zombie.start();
            assertThat(stuck.await(20, TimeUnit.SECONDS)).isTrue();
            successor.start();
            Chain.await(() -> Chain.permits(plan, deployment).size() == 10);

            // when it comes back, with records folded that another has committed
            goOn.countDown();

            // then its transaction fails, or its next poll says that the partition is lost: what it had folded is
            // forgotten
            Chain.await(forgotten::get);
            Chain.write(broker.client(), deployment, 11, 10);
            Chain.await(() -> Chain.permits(plan, deployment).size() >= 20);
        }
        Chain.assertChain(broker.client(), deployment, 20);
    }

    @Test
    void brokerOutageIsSurvivedWithoutLossOrDuplicate() {
        Deployment deployment = Chain.deploymentOf("outage", 1, PARTITIONS);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> loop =
                        loop(broker.client(), "outage", () -> {}, PartitionLoop.Listener.NONE)) {
            loop.start();
            Chain.write(broker.client(), deployment, 1, 20);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 20);
            broker.stop();
            assertThat(loop.alive()).isTrue();
            broker.start();
            Chain.write(broker.client(), deployment, 21, 20);
            Chain.await(() -> Chain.permits(plan, deployment).size() >= 40);
            assertThat(loop.alive()).isTrue();
        }
        Chain.assertChain(broker.client(), deployment, 40);
    }

    /** Says in the outcomes topic how many acks of its partition it has seen; its input is another topic, and empty. */
    private static final class AckCounter implements PartitionTask<Outcome> {
        private final Deployment deployment;
        private final List<Output<?>> outputs = new ArrayList<>();
        private int seen;
        private int told;
        private int reads;

        AckCounter(Deployment deployment) {
            this.deployment = deployment;
        }

        @Override
        public List<Topic<?>> companions() {
            return List.of(Topic.ACKS);
        }

        @Override
        public Optional<RecoveryRead<?>> nextRead(InputLog input) {
            reads++;
            return switch (reads) {
                case 1 -> Optional.of(RecoveryRead.all(Topic.ACKS, ack -> seen++));
                case 2 ->
                    Optional.of(RecoveryRead.since(Topic.PLAN, 0, command -> {
                        if (command.value().header().deployment().equals(deployment)) {
                            told = Math.max(told, (int) command.value().header().number());
                        }
                    }));
                default -> Optional.empty();
            };
        }

        @Override
        public long recovered(InputLog input) {
            return input.committed().orElse(input.first());
        }

        @Override
        public void onRecord(Received<Outcome> record) {}

        @Override
        public void onCompanion(Received<?> record) {
            assertThat(record.value()).isInstanceOf(RankAck.class);
            seen++;
        }

        @Override
        public void onUnreadable(Quarantined record, long timestampMillis) {}

        @Override
        public void onPoll(long nowMillis) {
            while (told < seen) {
                told++;
                outputs.add(Output.of(
                        Topic.PLAN,
                        deployment,
                        new PlanCommand.Permit(new PlanHeader(deployment, told, 1, told), 1, told)));
            }
        }

        @Override
        public Optional<Transaction> takeTransaction() {
            if (outputs.isEmpty()) {
                return Optional.empty();
            }
            Transaction transaction = new Transaction(outputs, 0);
            outputs.clear();
            return Optional.of(transaction);
        }
    }

    @Test
    void companionsAreReadBesideAnInputThatIsEmpty() {
        Deployment deployment = Chain.deploymentOf("companion", 1, PARTITIONS);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                TopicWriter writer = new TopicWriter(broker.client(), "acks", 10, Duration.ofSeconds(10))) {
            int step = 0;
            for (int life = 1; life <= 2; life++) {
                try (PartitionLoop<Outcome> loop = new PartitionLoop<>(
                        broker.client(),
                        "companion",
                        Topic.OUTCOMES,
                        partition -> new AckCounter(Chain.deploymentOf("companion", partition, PARTITIONS)),
                        PartitionLoop.Listener.NONE)) {
                    loop.start();
                    for (int i = 0; i < 5; i++) {
                        step++;
                        RankAck ack = new RankAck(
                                deployment, 1, new RankId(0), 1, RankAck.Kind.ACCEPTED, 0, Optional.empty(), 1, step);
                        writer.write(Output.of(Topic.ACKS, deployment, ack)).block(PATIENCE);
                        int expected = step;
                        Chain.await(() -> Chain.permits(plan, deployment).size() >= expected);
                    }
                }
            }
        }
        Chain.assertChain(broker.client(), deployment, 10);
    }

    @Test
    void unreadableRecordsReachQuarantineAndLostInputBeginsAtTheLogsStart() throws Exception {
        Deployment deployment = Chain.deploymentOf("lost", 0, PARTITIONS);
        Chain.write(broker.client(), deployment, 1, 5);
        try (KafkaProducer<byte[], byte[]> raw = new KafkaProducer<>(ClientProperties.idempotent(
                broker.client(), "raw", Duration.ofSeconds(10), TopicWriter.Compression.FOR_EVERYBODY))) {
            raw.send(new ProducerRecord<>(Topic.SAMPLES.name(), 0, new byte[0], new byte[] {7, 7}))
                    .get();
        }
        List<Long> recovered = new CopyOnWriteArrayList<>();
        try (LiveView<Quarantined> quarantine = new LiveView<>(broker.client(), Topic.QUARANTINE)) {
            try (PartitionLoop<SampleRecord> loop =
                    loop(broker.client(), "lost", () -> {}, PartitionLoop.Listener.NONE)) {
                loop.start();
                Chain.await(() -> quarantine.values().stream().anyMatch(record -> record.partition() == 0));
            }
            assertThat(quarantine.values()).allSatisfy(record -> {
                assertThat(record.topic()).isEqualTo(Topic.SAMPLES.name());
                assertThat(record.reason()).isEqualTo("FRAME");
                assertThat(record.bytes()).isEqualTo("0707");
            });
        }
        // when records are lost that had not been read yet
        Chain.write(broker.client(), deployment, 6, 10);
        long end;
        TopicPartition partition = new TopicPartition(Topic.SAMPLES.name(), 0);
        try (Admin admin = Admin.create(ClientProperties.admin(broker.client(), Duration.ofSeconds(10)))) {
            end = admin.listOffsets(Map.of(partition, OffsetSpec.latest()))
                    .partitionResult(partition)
                    .get()
                    .offset();
            admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(end - 3)))
                    .all()
                    .get();
        }
        List<Long> read = new CopyOnWriteArrayList<>();
        try (PartitionLoop<SampleRecord> loop = new PartitionLoop<>(
                broker.client(),
                "lost",
                Topic.SAMPLES,
                number -> new ChainTask(() -> {}) {
                    @Override
                    public long recovered(InputLog input) {
                        if (number == 0) {
                            recovered.add(input.first());
                            recovered.add(input.committed().orElseThrow());
                        }
                        return super.recovered(input);
                    }

                    @Override
                    public void onRecord(Received<SampleRecord> record) {
                        super.onRecord(record);
                        if (number == 0) {
                            read.add(record.offset());
                        }
                    }
                },
                PartitionLoop.Listener.NONE)) {
            loop.start();
            Chain.await(() -> read.size() >= 3);
        }
        assertThat(recovered.get(0)).isEqualTo(end - 3);
        assertThat(recovered.get(1)).isLessThan(end - 3);
        assertThat(read).containsExactly(end - 3, end - 2, end - 1);
    }

    /** Members of both protocols in the same outages: what takes long is that silence is noticed after ten seconds only. */
    @Test
    void aMemberHasJoinedOnlyWhileItIsInTouchWithItsGroup() {
        try (PartitionLoop<SampleRecord> classic = touching("classic");
                PartitionLoop<SampleRecord> consumer = touching("consumer")) {
            List<PartitionLoop<SampleRecord>> loops = List.of(classic, consumer);
            broker.stop();
            loops.forEach(PartitionLoop::start);
            assertThat(loops).noneMatch(PartitionLoop::joined);
            broker.start();
            loops.forEach(loop -> Chain.await(loop::joined));
            broker.stop();
            loops.forEach(loop -> Chain.await(() -> !loop.joined()));
            assertThat(loops).as("polls go on").allMatch(PartitionLoop::alive);
            broker.start();
            loops.forEach(loop -> Chain.await(loop::joined));
        }
    }

    private static PartitionLoop<SampleRecord> touching(String protocol) {
        return loop(with("group.protocol", protocol), "touch-" + protocol, () -> {}, PartitionLoop.Listener.NONE);
    }

    @Test
    void aLoopThatIsClosedHasNotStoppedOfItself() {
        AtomicReference<Throwable> stopped = new AtomicReference<>();
        try (PartitionLoop<SampleRecord> loop = loop(broker.client(), "closed", () -> {}, new PartitionLoop.Listener() {
            @Override
            public void onStopped(Throwable cause) {
                stopped.compareAndSet(null, cause);
            }
        })) {
            loop.start();
            Chain.await(loop::alive);
        }
        assertThat(stopped.get()).isNull();
    }

    @Test
    void aMemberOfTheSameNameTakesOverAtOnce() {
        KafkaSettings settings = with("group.instance.id", "a-0");
        Deployment deployment = Chain.deploymentOf("static", 1, PARTITIONS);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> dead = loop(settings, "static", () -> {}, PartitionLoop.Listener.NONE);
                PartitionLoop<SampleRecord> restarted =
                        loop(settings, "static", () -> {}, PartitionLoop.Listener.NONE)) {
            dead.start();
            Chain.write(broker.client(), deployment, 1, 5);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 5);
            long begin = System.nanoTime();
            restarted.start();
            Chain.await(() -> !dead.alive());
            Chain.write(broker.client(), deployment, 6, 5);
            Chain.await(() -> Chain.permits(plan, deployment).size() >= 10);
            assertThat(Duration.ofNanos(System.nanoTime() - begin))
                    .as("without waiting for the session of 6 s")
                    .isLessThan(Duration.ofSeconds(5));
        }
        Chain.assertChain(broker.client(), deployment, 10);
    }

    private static KafkaSettings with(String key, String value) {
        return new KafkaSettings(broker.client().bootstrapServers(), Map.of(key, value));
    }

    private static PartitionLoop<SampleRecord> loop(
            KafkaSettings settings, String role, Runnable hazard, PartitionLoop.Listener listener) {
        return new PartitionLoop<>(settings, role, Topic.SAMPLES, partition -> new ChainTask(hazard), listener);
    }

    private static void uninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
