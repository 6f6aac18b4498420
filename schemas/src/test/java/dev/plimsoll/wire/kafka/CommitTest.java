package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commits that are large, late, or answered late. */
final class CommitTest {
    private static final int PARTITIONS = 1;
    private static final Pace HASTY = new Pace(Duration.ofMillis(300), Duration.ofSeconds(30));

    @TempDir
    static Path directory;

    private static TestBroker broker;

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
    void aCommitWhoseAnswerIsLateIsAskedForAgainAndKeepsTheTask() {
        // given: a broker that is away when the third transaction is to be committed, and back when that has timed out
        Deployment deployment = Chain.deploymentOf("again", 0, PARTITIONS);
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger timeouts = new AtomicInteger();
        AtomicInteger tasks = new AtomicInteger();
        List<Throwable> resets = new CopyOnWriteArrayList<>();
        Function<Map<String, Object>, Producer<byte[], byte[]>> writers = properties -> {
            properties.put("max.block.ms", 500);
            return new HookedProducer(properties) {
                @Override
                public void commitTransaction() {
                    int call = calls.incrementAndGet();
                    if (call == 3) {
                        broker.stop();
                    } else if (call == 5) {
                        broker.start();
                    }
                    try {
                        super.commitTransaction();
                    } catch (org.apache.kafka.common.errors.TimeoutException e) {
                        timeouts.incrementAndGet();
                        throw e;
                    }
                }
            };
        };
        try (LiveView<PlanCommand> plan = new LiveView<>(broker.client(), Topic.PLAN);
                PartitionLoop<SampleRecord> loop = new PartitionLoop<>(
                        broker.client(),
                        "again",
                        Topic.SAMPLES,
                        partition -> {
                            tasks.incrementAndGet();
                            return new ChainTask(() -> {});
                        },
                        new PartitionLoop.Listener() {
                            @Override
                            public void onReset(int partition, Throwable cause) {
                                resets.add(cause);
                            }
                        },
                        HASTY,
                        writers)) {
            Chain.write(broker.client(), deployment, 1, 1);
            loop.start();
            Chain.await(() -> Chain.permits(plan, deployment).size() == 1);
            Chain.write(broker.client(), deployment, 2, 1);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 2);

            // when
            Chain.write(broker.client(), deployment, 3, 1);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 3);
            assertThat(loop.alive()).isTrue();
            Chain.write(broker.client(), deployment, 4, 1);
            Chain.await(() -> Chain.permits(plan, deployment).size() == 4);
        }

        // then
        assertThat(timeouts.get()).as("calls that timed out").isPositive();
        assertThat(resets).as("the task was kept").isEmpty();
        assertThat(tasks).hasValue(1);
        Chain.assertChain(broker.client(), deployment, 4);
    }

    @Test
    void aTransactionNearTheBoundIsCommittedWithinItsTime() {
        Deployment deployment = Chain.deploymentOf("big", 0, PARTITIONS);
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        List<Integer> outputs = new CopyOnWriteArrayList<>();
        try (PartitionLoop<SampleRecord> loop = writing("big", deployment, 60, failures, outputs)) {
            loop.start();
            Chain.await(() -> {
                assertThat(loop.alive()).isTrue();
                return outputs.contains(60);
            });
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void aTransactionBeyondTheBoundLeavesItsPartitionAloneAndSaysWhy() {
        Deployment deployment = Chain.deploymentOf("beyond", 0, PARTITIONS);
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        List<Integer> outputs = new CopyOnWriteArrayList<>();
        try (PartitionLoop<SampleRecord> loop = writing("beyond", deployment, 70, failures, outputs)) {
            loop.start();
            Chain.await(() -> !failures.isEmpty());
            assertThat(loop.alive()).isTrue();
        }
        assertThat(failures.get(0)).isInstanceOf(RefusedException.class).hasMessageContaining("64 MiB");
        assertThat(outputs).isEmpty();
    }

    @Test
    void brokersGiveTheLargestTransactionItsTime() {
        long slowest = Commit.PATIENCE_SECONDS + Commit.LARGEST_MIB;
        Map<String, Object> properties = Commit.writerProperties(broker.client(), "any");
        assertThat((Integer) properties.get("transaction.timeout.ms")).isGreaterThan((int) (1000 * slowest));

        KafkaSettings settings =
                new KafkaSettings(broker.client().bootstrapServers(), Map.of("transaction.timeout.ms", "20000"));
        assertThat(Commit.writerProperties(settings, "any")).containsEntry("transaction.timeout.ms", "20000");
    }

    /** A loop that writes one transaction of records of nearly a MiB each (the reason and a summary that repeats it) for what it
     * first takes. */
    private static PartitionLoop<SampleRecord> writing(
            String role, Deployment deployment, int mebibytes, List<Throwable> failures, List<Integer> outputs) {
        Chain.write(broker.client(), deployment, 1, 1);
        Output<PlanCommand> one = output(deployment, (1 << 19) - 2_000);
        IntFunction<PartitionTask<SampleRecord>> tasks = partition -> new ChainTask(() -> {}) {
            @Override
            public Optional<Transaction> takeTransaction() {
                return super.takeTransaction()
                        .map(small -> new Transaction(
                                new ArrayList<>(Collections.nCopies(mebibytes, one)), small.nextInputOffset()));
            }
        };
        return new PartitionLoop<>(
                broker.client(),
                role,
                Topic.SAMPLES,
                tasks,
                new PartitionLoop.Listener() {
                    @Override
                    public void onReset(int partition, Throwable cause) {
                        failures.add(cause);
                    }

                    @Override
                    public void onQuarantined(int partition, Throwable cause) {
                        failures.add(cause);
                    }

                    @Override
                    public void onCommitted(int partition, int written, Duration took) {
                        outputs.add(written);
                    }
                },
                HASTY,
                KafkaProducer::new);
    }

    /** A record of about this many bytes that no compression makes much smaller. */
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
