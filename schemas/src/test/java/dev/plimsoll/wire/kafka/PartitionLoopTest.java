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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The exactly-once loop against a real broker. The task under test chains: END records number n comes in, a PERMIT with number n
 * goes out, so that any loss, duplicate or change of order breaks the chain.
 */
final class PartitionLoopTest {
    private static final int PARTITIONS = 2;

    @TempDir
    static Path directory;

    private static TestBroker broker;

    @BeforeAll
    static void start() throws Exception {
        broker = new TestBroker(directory);
        try (TopicAdmin admin = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
            admin.create(PARTITIONS, 1);
            assertThat(admin.warnings()).isEmpty();
            assertThat(admin.status())
                    .allSatisfy(status -> assertThat(status.differences()).isEmpty());
        }
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    /** Numbers what it reads; its state is what the plan log says that it has numbered. */
    private static class ChainTask implements PartitionTask<SampleRecord> {
        private final List<Output<?>> outputs = new ArrayList<>();
        private final Runnable hazard;
        private long written;
        private long next;
        private boolean dirty;

        ChainTask(Runnable hazard) {
            this.hazard = hazard;
        }

        @Override
        public long recover(Recovery recovery) {
            hazard.run();
            for (Received<PlanCommand> command : recovery.readAll(Topic.PLAN)) {
                written = Math.max(written, command.value().header().number());
            }
            next = recovery.committedOffset().orElse(recovery.firstInputOffset());
            return next;
        }

        @Override
        public void onRecord(Received<SampleRecord> record) {
            hazard.run();
            next = record.offset() + 1;
            dirty = true;
            written++;
            Deployment deployment = record.value().deployment();
            long incarnation = ((End) record.value()).incarnation();
            outputs.add(Output.of(
                    Topic.PLAN,
                    deployment,
                    new PlanCommand.Permit(new PlanHeader(deployment, incarnation, 1, written), 1, written)));
        }

        @Override
        public void onUnreadable(Quarantined record, long timestampMillis) {
            next = record.offset() + 1;
            dirty = true;
            outputs.add(Output.of(Topic.QUARANTINE, new Deployment("any"), record));
        }

        @Override
        public Optional<Transaction> takeTransaction() {
            hazard.run();
            if (!dirty) {
                return Optional.empty();
            }
            Transaction transaction = new Transaction(outputs, next);
            outputs.clear();
            dirty = false;
            return Optional.of(transaction);
        }
    }

    /** One deployment per partition, found by trying names. */
    private static Deployment deploymentOf(String test, int partition) {
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> new Deployment(test + i))
                .filter(deployment -> Topic.partition(deployment, PARTITIONS) == partition)
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void outputsFormAnExactChainWhateverFails(String protocol) throws Exception {
        // given: a task that throws at random points, a loop that is closed and made anew under way
        KafkaSettings settings =
                new KafkaSettings(broker.client().bootstrapServers(), Map.of("group.protocol", protocol));
        int perPartition = 300;
        List<Deployment> deployments = List.of(deploymentOf(protocol, 0), deploymentOf(protocol, 1));
        long before = permits(deployments.get(0)).size();
        assertThat(before).isZero();
        Random random = new Random(7);
        AtomicInteger resets = new AtomicInteger();
        AtomicBoolean dangerous = new AtomicBoolean(true);
        Runnable hazard = () -> {
            synchronized (random) {
                if (dangerous.get() && random.nextInt(150) == 0) {
                    throw new IllegalStateException("injected");
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
        TopicWriter writer = new TopicWriter(settings, "test", 10_000, Duration.ofSeconds(10));
        PartitionLoop<SampleRecord> loop = loop(settings, protocol, hazard, listener);
        try (writer) {
            loop.start();
            for (int number = 1; number <= perPartition; number++) {
                for (Deployment deployment : deployments) {
                    writer.write(Output.of(Topic.SAMPLES, deployment, (SampleRecord) new End(deployment, number)))
                            .block(Duration.ofSeconds(10));
                }
                if (number % 100 == 0) {
                    loop.close();
                    loop = loop(settings, protocol, hazard, listener);
                    loop.start();
                }
            }
            dangerous.set(false);
            for (Deployment deployment : deployments) {
                await(() -> permits(deployment).size() >= perPartition);
            }
        } finally {
            loop.close();
        }

        // then
        assertThat(resets.get()).as("injected failures").isPositive();
        for (Deployment deployment : deployments) {
            List<PlanCommand> permits = permits(deployment);
            assertThat(permits)
                    .extracting(permit -> permit.header().incarnation())
                    .containsExactlyElementsOf(
                            LongStream.rangeClosed(1, perPartition).boxed().toList());
            long first = permits.get(0).header().number();
            assertThat(permits)
                    .extracting(permit -> permit.header().number())
                    .containsExactlyElementsOf(LongStream.range(first, first + perPartition)
                            .boxed()
                            .toList());
        }
    }

    private static PartitionLoop<SampleRecord> loop(
            KafkaSettings settings, String role, Runnable hazard, PartitionLoop.Listener listener) {
        return new PartitionLoop<>(settings, role, Topic.SAMPLES, partition -> new ChainTask(hazard), listener);
    }

    private static List<PlanCommand> permits(Deployment deployment) {
        List<PlanCommand> permits = new CopyOnWriteArrayList<>();
        var subscription = TopicReader.records(
                        broker.client(), Topic.PLAN, new TopicReader.Start.Beginning(), unreadable -> {})
                .map(Received::value)
                .filter(command -> command.header().deployment().equals(deployment))
                .take(Duration.ofMillis(700))
                .collectList()
                .block(Duration.ofSeconds(20));
        permits.addAll(subscription == null ? List.of() : subscription);
        return permits;
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited 30 s in vain");
            }
            Thread.sleep(20);
        }
    }
}
