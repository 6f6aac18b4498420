package dev.plimsoll.wire.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;

/** Reader and writer against a real broker, which is also stopped and started again. */
final class ReadingAndWritingTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private TestBroker broker;

    @BeforeEach
    void start() throws Exception {
        broker = new TestBroker(directory);
        try (TopicAdmin admin = new TopicAdmin(broker.client(), Duration.ofSeconds(10))) {
            assertThat(admin.create(2, 1)).hasSize(Topic.all().size());
            assertThat(admin.create(2, 1)).as("already there").isEmpty();
        }
    }

    @AfterEach
    void stop() {
        broker.close();
    }

    @Test
    void writerFailsInTimeDuringAnOutageAndGoesOnAfterIt() {
        Deployment deployment = new Deployment("d");
        Output<SampleRecord> tick = Output.of(Topic.SAMPLES, deployment, new Tick(deployment));
        try (TopicWriter writer = new TopicWriter(broker.client(), "w", 2, Duration.ofSeconds(1))) {
            assertThat(writer.write(tick).block(Duration.ofSeconds(5))).isEqualTo(0);

            broker.stop();
            long begin = System.nanoTime();
            List<Mono<Long>> during = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Mono<Long> written = writer.write(tick).cache();
                written.subscribe(offset -> {}, failure -> {});
                during.add(written);
            }
            StepVerifier.create(during.get(2))
                    .expectError(RejectedExecutionException.class)
                    .verify(Duration.ofMillis(500));
            StepVerifier.create(during.get(0)).expectError().verify(Duration.ofSeconds(5));
            StepVerifier.create(during.get(1)).expectError().verify(Duration.ofSeconds(5));
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));

            broker.start();
            Long offset = writer.write(tick)
                    .retryWhen(reactor.util.retry.Retry.fixedDelay(20, Duration.ofMillis(100)))
                    .block(PATIENCE);
            assertThat(offset).isGreaterThanOrEqualTo(1);
        }
    }

    @Test
    void closingWithTheBrokerGoneIsBoundedAndAnswersEverything() {
        broker.stop();
        Deployment deployment = new Deployment("d");
        TopicWriter writer = new TopicWriter(broker.client(), "w", 10, Duration.ofSeconds(30));
        Mono<Long> written = writer.write(Output.of(Topic.SAMPLES, deployment, (SampleRecord) new Tick(deployment)))
                .cache();
        written.subscribe(offset -> {}, failure -> {});
        long begin = System.nanoTime();
        writer.close();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
        StepVerifier.create(written).expectError().verify(Duration.ofSeconds(1));
    }

    @Test
    void readerKeepsToDemandPerPartitionAndCancellingEndsItsThread() {
        write(deploymentOf(0), 1200);
        write(deploymentOf(1), 1200);
        List<TopicReader.PartitionStream<SampleRecord>> streams = new CopyOnWriteArrayList<>();
        Disposable outer = TopicReader.partitions(
                        broker.client(), Topic.SAMPLES, new TopicReader.Start.Beginning(), unreadable -> {})
                .subscribe(streams::add);
        try {
            await(() -> streams.size() == 2);
            // given partition 0, of which only one batch is asked for
            StepVerifier.Step<TopicReader.PartitionBatch<SampleRecord>> slow =
                    StepVerifier.create(streams.get(0).batches(), 1).expectNextCount(1);
            List<Received<SampleRecord>> fast = new CopyOnWriteArrayList<>();
            streams.get(1).batches().subscribe(batch -> fast.addAll(batch.records()));

            // then the other one goes on, and no second batch comes until it is asked for
            slow.expectNoEvent(Duration.ofMillis(300))
                    .thenRequest(1)
                    .expectNextCount(1)
                    .thenCancel()
                    .verify(PATIENCE);
            await(() -> fast.size() == 1200);
            assertThat(fast.stream().map(Received::offset).toList())
                    .isEqualTo(LongStream.range(0, 1200).boxed().toList());
        } finally {
            outer.dispose();
        }
        await(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("plimsoll-read-")));
    }

    @Test
    void readerOfStretchesPassesOverWhatIsBetweenThem() {
        Deployment deployment = deploymentOf(0);
        write(deployment, 3_000);
        List<Long> offsets = new CopyOnWriteArrayList<>();
        Disposable reading = TopicReader.records(
                        broker.client(),
                        Topic.SAMPLES,
                        deployment,
                        new TopicReader.Start.At(LongVector.of(10, 20, 600, 610), 2_990),
                        unreadable -> {})
                .subscribe(record -> offsets.add(record.offset()));
        try {
            await(() -> offsets.contains(2_999L));
            assertThat(offsets).isSorted().doesNotHaveDuplicates().startsWith(10L);
            assertThat(offsets)
                    .containsAll(LongStream.range(10, 20).boxed().toList())
                    .containsAll(LongStream.range(600, 610).boxed().toList())
                    .containsAll(LongStream.range(2_990, 3_000).boxed().toList());
            // A fetch brings more than was asked for; polls are of 500.
            assertThat(offsets).hasSizeLessThan(2_000);
        } finally {
            reading.dispose();
        }
    }

    @Test
    void readerOfOffsetsThatALogDoesNotReachBeginsWithIt() {
        Deployment deployment = deploymentOf(0);
        write(deployment, 5);

        List<Long> offsets = TopicReader.records(
                        broker.client(),
                        Topic.SAMPLES,
                        deployment,
                        new TopicReader.Start.At(LongVector.of(2, 3), 6),
                        unreadable -> {})
                .map(Received::offset)
                .take(5)
                .collectList()
                .block(PATIENCE);

        assertThat(offsets).containsExactly(0L, 1L, 2L, 3L, 4L);
    }

    @Test
    void writingTogetherIsAllOrNothingAndReadersStartWhereTheyAreTold() {
        Deployment deployment = deploymentOf(0);
        TopicWriter.writeTogether(
                broker.client(),
                "together",
                List.of(
                        Output.at(Topic.OUTCOMES, deployment, outcome(deployment, 1), 1_000),
                        Output.at(Topic.OUTCOMES, deployment, outcome(deployment, 2), 2_000),
                        Output.of(Topic.SAMPLES, deployment, (SampleRecord) new End(deployment, 1))),
                Duration.ofSeconds(15));
        // given a writer that fails half way: its first record is never seen
        assertThatThrownBy(() -> TopicWriter.writeTogether(
                        broker.client(),
                        "together",
                        List.of(
                                Output.at(Topic.OUTCOMES, deployment, outcome(deployment, 3), 3_000),
                                Output.at(Topic.OUTCOMES, deployment, outcome(deployment, 4), -5)),
                        Duration.ofSeconds(15)))
                .isInstanceOf(RuntimeException.class);
        TopicWriter.writeTogether(
                broker.client(),
                "together",
                List.of(Output.at(Topic.OUTCOMES, deployment, outcome(deployment, 5), 5_000)),
                Duration.ofSeconds(15));

        assertThat(versions(new TopicReader.Start.Beginning(), 3)).containsExactly(1, 2, 5);
        assertThat(versions(new TopicReader.Start.Since(1_500), 2)).containsExactly(2, 5);
        StepVerifier.create(TopicReader.records(
                        broker.client(), Topic.OUTCOMES, new TopicReader.Start.End(), unreadable -> {}))
                .expectSubscription()
                .expectNoEvent(Duration.ofMillis(500))
                .thenCancel()
                .verify(PATIENCE);
    }

    @Test
    void readerOfADeploymentReadsItsPartitionOnlyAndDecodesNothingOfOthers() throws Exception {
        Deployment ours = deploymentOf(0);
        Deployment neighbour = IntStream.iterate(1, i -> i + 1)
                .mapToObj(i -> new Deployment(ours + "/" + i))
                .filter(deployment -> Topic.partition(deployment, 2) == 0)
                .findFirst()
                .orElseThrow();
        // given records that nobody can decode, of a neighbour in our partition and of ours in another partition
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(ClientProperties.idempotent(
                broker.client(), "raw", Duration.ofSeconds(10), TopicWriter.Compression.FOR_EVERYBODY))) {
            producer.send(raw(0, neighbour)).get();
            producer.send(raw(1, ours)).get();
            producer.send(raw(0, ours)).get();
            producer.send(new ProducerRecord<>(Topic.OUTCOMES.name(), 0, null, "garbage".getBytes(UTF_8)))
                    .get();
        }
        try (TopicWriter writer = new TopicWriter(broker.client(), "w", 2, Duration.ofSeconds(10))) {
            writer.write(Output.of(Topic.OUTCOMES, neighbour, outcome(neighbour, 1)))
                    .block(PATIENCE);
            writer.write(Output.of(Topic.OUTCOMES, ours, outcome(ours, 2))).block(PATIENCE);
        }

        List<String> unreadable = new CopyOnWriteArrayList<>();
        Received<Outcome> first = TopicReader.records(
                        broker.client(),
                        Topic.OUTCOMES,
                        ours,
                        new TopicReader.Start.Beginning(),
                        record -> unreadable.add(record.partition() + "@" + record.offset()))
                .blockFirst(PATIENCE);

        assertThat(Objects.requireNonNull(first).value()).isEqualTo(outcome(ours, 2));
        assertThat(unreadable).containsExactly("0@1");
    }

    @Test
    void aTopicThatIsPutByItsInputsPartitionCannotBeReadByDeployment() {
        assertThatThrownBy(() -> TopicReader.records(
                        broker.client(),
                        Topic.QUARANTINE,
                        new Deployment("d"),
                        new TopicReader.Start.Beginning(),
                        record -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("read all of it");
    }

    private static ProducerRecord<byte[], byte[]> raw(int partition, Deployment key) {
        return new ProducerRecord<>(
                Topic.OUTCOMES.name(), partition, key.id().getBytes(UTF_8), "garbage".getBytes(UTF_8));
    }

    private List<Integer> versions(TopicReader.Start start, int count) {
        return Objects.requireNonNull(TopicReader.records(broker.client(), Topic.OUTCOMES, start, unreadable -> {})
                .map(record -> record.value().version())
                .take(count)
                .collectList()
                .block(PATIENCE));
    }

    private static Outcome outcome(Deployment deployment, int version) {
        return new Outcome(deployment, 1, version, 1, 1, 0.5, 0.9, Balance.UNLOADED);
    }

    private void write(Deployment deployment, int count) {
        try (TopicWriter writer = new TopicWriter(broker.client(), "w", count, Duration.ofSeconds(10))) {
            List<Long> offsets = reactor.core.publisher.Flux.range(1, count)
                    .flatMapSequential(
                            n -> writer.write(
                                    Output.of(Topic.SAMPLES, deployment, (SampleRecord) new End(deployment, n))),
                            count)
                    .collectList()
                    .block(PATIENCE);
            assertThat(offsets).hasSize(count);
        }
    }

    private static Deployment deploymentOf(int partition) {
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> new Deployment("d" + i))
                .filter(deployment -> Topic.partition(deployment, 2) == partition)
                .findFirst()
                .orElseThrow();
    }

    private static void await(java.util.function.BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
