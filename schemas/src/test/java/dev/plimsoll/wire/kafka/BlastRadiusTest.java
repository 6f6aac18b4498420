package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is wrong with partition 0, partition 1 of the same loop goes on, and nothing is lost or written twice. */
final class BlastRadiusTest {
    private static final int PARTITIONS = 2;
    private static final Pace HASTY = new Pace(Duration.ofMillis(300), Duration.ofSeconds(30));

    @TempDir
    static Path directory;

    private static TestBroker broker;

    /** What a loop has told of. */
    private static final class Told implements PartitionLoop.Listener {
        private final List<Integer> quarantined = new CopyOnWriteArrayList<>();
        private final Map<Integer, Throwable> causes = new ConcurrentHashMap<>();
        private final List<Integer> reset = new CopyOnWriteArrayList<>();
        private final AtomicBoolean stopped = new AtomicBoolean();

        @Override
        public void onReset(int partition, Throwable cause) {
            reset.add(partition);
        }

        @Override
        public void onQuarantined(int partition, Throwable cause) {
            quarantined.add(partition);
            causes.put(partition, cause);
        }

        @Override
        public void onStopped(Throwable cause) {
            stopped.set(true);
        }
    }

    @BeforeAll
    static void start() throws Exception {
        broker = new TestBroker(directory);
        try (TopicAdmin admin = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
            admin.create(PARTITIONS, 1);
            Chain.await(() -> admin.missing().isEmpty());
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void aRecordThatIsTooLargeLeavesItsPartitionAlone() {
        Deployment ill = Chain.deploymentOf("large", 0, PARTITIONS);
        Deployment well = Chain.deploymentOf("large", 1, PARTITIONS);
        AtomicBoolean tooLarge = new AtomicBoolean(true);
        Told told = new Told();
        IntFunction<PartitionTask<SampleRecord>> tasks = partition -> new ChainTask(() -> {}) {
            @Override
            public Optional<Transaction> takeTransaction() {
                return partition == 0 && tooLarge.get()
                        ? Optional.of(new Transaction(List.of(output(ill, 2 << 20)), 0))
                        : super.takeTransaction();
            }
        };
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> loop = loop("large", tasks, told, KafkaProducer::new)) {
            loop.start();
            Chain.await(() -> told.quarantined.contains(0));
            Chain.write(broker.client(), well, 1, 10);
            Chain.await(() -> Chain.permits(plan, well).size() == 10);
            assertThat(loop.settled()).as("readiness shows it").isFalse();
            assertThat(loop.alive()).isTrue();

            // when what was too large is so no more
            Chain.write(broker.client(), ill, 1, 10);
            tooLarge.set(false);
            Chain.await(() -> Chain.permits(plan, ill).size() == 10);
            Chain.await(loop::settled);
        }
        assertThat(told.quarantined).containsOnly(0);
        assertThat(told.stopped).isFalse();
        Chain.assertChains(broker.client(), Map.of(ill, 10, well, 10));
    }

    @ParameterizedTest
    @ValueSource(classes = {OutOfMemoryError.class, StackOverflowError.class, IllegalArgumentException.class})
    void aRecordAtWhichTasksCrashIsQuarantinedAfterThreeTimes(Class<? extends Throwable> kind) {
        String name = kind.getSimpleName();
        Deployment ill = Chain.deploymentOf(name, 0, PARTITIONS);
        Deployment well = Chain.deploymentOf(name, 1, PARTITIONS);
        AtomicInteger crashes = new AtomicInteger();
        Told told = new Told();
        IntFunction<PartitionTask<SampleRecord>> tasks = partition -> new ChainTask(() -> {}) {
            @Override
            public void onRecord(Received<SampleRecord> record) {
                if (record.value().deployment().equals(ill) && ((End) record.value()).incarnation() == 5) {
                    crashes.incrementAndGet();
                    throwNow(kind);
                }
                super.onRecord(record);
            }
        };
        Chain.write(broker.client(), ill, 1, 10);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                LiveView<Quarantined> quarantine = new LiveView<>(broker.client(), Topic.QUARANTINE);
                PartitionLoop<SampleRecord> loop = loop(name, tasks, told, KafkaProducer::new)) {
            loop.start();
            Chain.write(broker.client(), well, 1, 10);
            Chain.await(() -> Chain.permits(plan, well).size() == 10);
            Chain.await(() -> Chain.permits(plan, ill).size() == 9);
            Chain.await(() -> quarantine.values().stream().anyMatch(BlastRadiusTest::crashed));

            assertThat(loop.alive()).isTrue();
            assertThat(Chain.permits(plan, ill))
                    .extracting(permit -> permit.header().incarnation())
                    .containsExactly(1L, 2L, 3L, 4L, 6L, 7L, 8L, 9L, 10L);
        }
        assertThat(crashes).hasValue(3);
        assertThat(told.stopped).isFalse();
        assertThat(told.quarantined).hasSize(Error.class.isAssignableFrom(kind) ? 2 : 0);
        Chain.assertChain(broker.client(), well, 10);
    }

    private static boolean crashed(Quarantined record) {
        return record.reason().equals("CRASHED") && record.partition() == 0 && record.originalBytes() > 0;
    }

    private static void throwNow(Class<? extends Throwable> kind) {
        if (kind == OutOfMemoryError.class) {
            throw new OutOfMemoryError("injected");
        } else if (kind == StackOverflowError.class) {
            throw new StackOverflowError("injected");
        }
        throw new IllegalArgumentException("injected");
    }

    @Test
    void aStateThatIsRefusedLeavesItsPartitionAloneUntilItIsRepaired() {
        Deployment ill = Chain.deploymentOf("refused", 0, PARTITIONS);
        Deployment well = Chain.deploymentOf("refused", 1, PARTITIONS);
        AtomicBoolean broken = new AtomicBoolean(true);
        AtomicReference<PartitionLoop<SampleRecord>> itself = new AtomicReference<>();
        List<Boolean> settledWhenTriedAgain = new CopyOnWriteArrayList<>();
        Told told = new Told();
        IntFunction<PartitionTask<SampleRecord>> tasks = partition -> new ChainTask(() -> {}) {
            @Override
            public long recovered(InputLog input) {
                if (partition == 0 && broken.get()) {
                    if (!told.quarantined.isEmpty()) {
                        settledWhenTriedAgain.add(
                                Objects.requireNonNull(itself.get()).settled());
                    }
                    throw new IllegalStateException("offset 7 is ahead of the state");
                }
                return super.recovered(input);
            }
        };
        Chain.write(broker.client(), ill, 1, 10);
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> loop = loop("refused", tasks, told, KafkaProducer::new)) {
            itself.set(loop);
            loop.start();
            Chain.await(() -> told.quarantined.size() >= 2);
            Chain.write(broker.client(), well, 1, 10);
            Chain.await(() -> Chain.permits(plan, well).size() == 10);
            assertThat(loop.settled()).isFalse();
            assertThat(Chain.permits(plan, ill)).isEmpty();
            broken.set(false);
            Chain.await(() -> Chain.permits(plan, ill).size() == 10);
            Chain.await(loop::settled);
        }
        assertThat(settledWhenTriedAgain).as("a try is no success").isNotEmpty().containsOnly(false);
        assertThat(told.causes.get(0)).hasMessage("offset 7 is ahead of the state");
        assertThat(told.quarantined).containsOnly(0);
    }

    /** Where partition 0 is slow, for as long as it takes the other to do its work. */
    enum Slow {
        READING_STATE,
        FENCING,
        COMMITTING
    }

    @ParameterizedTest
    @EnumSource
    void aPartitionThatIsSlowHoldsUpNoOther(Slow where) {
        String name = "slow-" + where.name().toLowerCase(Locale.ROOT);
        Deployment slow = Chain.deploymentOf(name, 0, PARTITIONS);
        Deployment quick = Chain.deploymentOf(name, 1, PARTITIONS);
        AtomicBoolean begun = new AtomicBoolean();
        AtomicBoolean ended = new AtomicBoolean();
        AtomicBoolean goOn = new AtomicBoolean();
        Runnable takesLong = () -> {
            if (begun.compareAndSet(false, true)) {
                Chain.await(goOn::get);
                ended.set(true);
            }
        };
        Told told = new Told();
        // given: many records that it takes two milliseconds each to read, until the other has done its work
        if (where == Slow.READING_STATE) {
            Deployment other = Chain.deploymentOf("state", 0, PARTITIONS);
            try (TopicWriter writer = new TopicWriter(broker.client(), "test", 2_000, Duration.ofSeconds(10))) {
                for (int i = 1; i <= 2_000; i++) {
                    var sent = writer.write(output(other, 1));
                    if (i == 2_000) {
                        sent.block(Chain.PATIENCE);
                    } else {
                        sent.subscribe();
                    }
                }
            }
        }
        AtomicInteger read = new AtomicInteger();
        IntFunction<PartitionTask<SampleRecord>> tasks = partition -> new ChainTask(() -> {}) {
            @Override
            public Optional<RecoveryRead<?>> nextRead(InputLog input) {
                if (partition == 0 && where == Slow.READING_STATE && begun.compareAndSet(false, true)) {
                    return Optional.of(RecoveryRead.all(Topic.PLAN, command -> {
                        if (!goOn.get()) {
                            LockSupport.parkNanos(2_000_000);
                        }
                        read.incrementAndGet();
                    }));
                }
                if (partition == 0 && read.get() > 0) {
                    ended.set(true);
                }
                return super.nextRead(input);
            }
        };
        Function<Map<String, Object>, Producer<byte[], byte[]>> writers = properties -> new HookedProducer(properties) {
            @Override
            void beforeFence(String id) {
                if (where == Slow.FENCING && id.endsWith("-0")) {
                    takesLong.run();
                }
            }

            @Override
            void beforeCommit(String id) {
                if (where == Slow.COMMITTING && id.endsWith("-0")) {
                    takesLong.run();
                }
            }
        };
        // when
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> loop = loop(name, tasks, told, writers)) {
            Chain.write(broker.client(), slow, 1, 10);
            Chain.write(broker.client(), quick, 1, 1);
            loop.start();
            Chain.await(begun::get);

            // then the other works meanwhile
            int written = 1;
            for (; written < 4; written++) {
                Chain.write(broker.client(), quick, written + 1, 1);
                int expected = written + 1;
                Chain.await(() -> Chain.permits(plan, quick).size() == expected);
            }
            assertThat(ended).as("partition 0 is still at it").isFalse();
            goOn.set(true);
            Chain.await(() -> Chain.permits(plan, slow).size() == 10);
        }
        assertThat(told.reset).isEmpty();
        Chain.assertChains(broker.client(), Map.of(slow, 10, quick, 4));
    }

    @Test
    void aRecordInAnotherPartitionThanItsDeploymentsIsQuarantined() throws Exception {
        Deployment deployment = Chain.deploymentOf("misplaced", 1, PARTITIONS);
        Told told = new Told();
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                LiveView<Quarantined> quarantine = new LiveView<>(broker.client(), Topic.QUARANTINE);
                KafkaProducer<byte[], byte[]> elsewhere = new KafkaProducer<>(ClientProperties.idempotent(
                        broker.client(), "elsewhere", Duration.ofSeconds(10), TopicWriter.Compression.FOR_EVERYBODY));
                PartitionLoop<SampleRecord> loop =
                        loop("misplaced", partition -> new ChainTask(() -> {}), told, KafkaProducer::new)) {
            loop.start();
            Chain.write(broker.client(), deployment, 1, 5);
            for (int n = 1; n <= 3; n++) {
                byte[] value = Topic.SAMPLES.encode(new End(deployment, n));
                elsewhere
                        .send(new ProducerRecord<>(Topic.SAMPLES.name(), 0, new byte[0], value))
                        .get();
            }
            Chain.write(broker.client(), deployment, 6, 5);
            Chain.await(() -> quarantine.values().stream()
                            .filter(record -> record.reason().equals("MISPLACED"))
                            .count()
                    == 3);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 10);
            assertThat(quarantine.values())
                    .filteredOn(record -> record.reason().equals("MISPLACED"))
                    .allSatisfy(record -> {
                        assertThat(record.topic()).isEqualTo(Topic.SAMPLES.name());
                        assertThat(record.partition()).isZero();
                        assertThat(record.detail()).contains(deployment.id()).contains("partitioner");
                    });
        }
        assertThat(told.reset).isEmpty();
        Chain.assertChain(broker.client(), deployment, 10);
    }

    private static PartitionLoop<SampleRecord> loop(
            String role,
            IntFunction<PartitionTask<SampleRecord>> tasks,
            Told told,
            Function<Map<String, Object>, Producer<byte[], byte[]>> writers) {
        return new PartitionLoop<>(broker.client(), role, Topic.SAMPLES, tasks, told, HASTY, writers);
    }

    /** A record of about this many bytes that no compression makes smaller. */
    private static Output<PlanCommand> output(Deployment deployment, int bytes) {
        Random random = new Random(1);
        StringBuilder reason = new StringBuilder();
        random.ints(bytes, 33, 126).forEach(reason::appendCodePoint);
        return Output.of(
                Topic.PLAN,
                deployment,
                new PlanCommand.Abort(new PlanHeader(deployment, 1, 1, 1), 1, reason.toString()));
    }
}
