package dev.plimsoll.wire.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.wire.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;

/** One line when the cluster goes away and one when it is back, however many clients there are. */
final class KafkaContactTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private Instant now = Instant.parse("2026-11-29T14:00:00Z");

    @Test
    void severalClientsThatWaitInVainAreOneLineAndTheLastOneThatIsAnsweredIsTheOther() {
        KafkaContact contact = new KafkaContact("planner: Kafka at h:1", lines::add, () -> now);
        contact.onAnswer("a");
        assertThat(contact.awaySince()).isEmpty();

        assertThat(contact.onSilence("a", now.minusSeconds(5), "no answer")).isTrue();
        contact.onSilence("b", now.minusSeconds(4), "no answer");
        contact.onSilence("a", now, "no answer");
        assertThat(contact.awaySince()).contains(now.minusSeconds(5));
        contact.onAnswer("a");
        assertThat(contact.awaySince()).isPresent();
        now = now.plusSeconds(2);
        contact.onAnswer("b");

        assertThat(contact.awaySince()).isEmpty();
        assertThat(lines)
                .containsExactly(
                        "planner: Kafka at h:1 is away since 13:59:55Z, trying on: no answer",
                        "planner: Kafka at h:1 is back after 7.0 s");
    }

    @Test
    void aClientThatEndsWhileItWaitsLeavesTheAnswerToOthers() {
        KafkaContact contact = new KafkaContact("x", lines::add, () -> now);
        contact.onSilence("a", now, "no answer");
        contact.onGone("a");
        assertThat(contact.awaySince()).as("nobody has been answered since").isPresent();

        contact.onAnswer("b");
        assertThat(contact.awaySince()).isEmpty();
    }

    @Test
    void nothingIsKnownOfAClusterThatNobodyAsks() {
        KafkaContact contact = new KafkaContact("x", lines::add, () -> now);
        assertThat(contact.quietFor(Duration.ofSeconds(1))).isTrue();
        contact.onAnswer("a");
        assertThat(contact.quietFor(Duration.ofSeconds(1))).isFalse();
        now = now.plusMillis(1_001);
        assertThat(contact.quietFor(Duration.ofSeconds(1))).isTrue();
    }

    @Test
    void aBrokerThatStopsAndStartsIsAwayOnceAndBackOnceForReaderAndWriterTogether() throws Exception {
        try (TestBroker broker = new TestBroker(directory)) {
            KafkaContact contact = new KafkaContact("worker: Kafka", lines::add);
            KafkaSettings settings = broker.client().told(contact);
            try (TopicAdmin admin = new TopicAdmin(settings, Duration.ofSeconds(10))) {
                admin.create(1, 1);
            }
            Deployment deployment = new Deployment("d");
            Output<SampleRecord> tick = Output.of(Topic.SAMPLES, deployment, new Tick(deployment));
            List<Long> read = new CopyOnWriteArrayList<>();
            Disposable reading = TopicReader.records(
                            settings, Topic.SAMPLES, deployment, new TopicReader.Start.Beginning(), record -> {})
                    .subscribe(record -> read.add(record.offset()));
            try (TopicWriter writer = new TopicWriter(settings, "w", 8, Duration.ofSeconds(2))) {
                writer.write(tick).block(PATIENCE);
                await().atMost(PATIENCE).until(() -> read.size() == 1);
                // Quiet for longer than an absence takes to be noticed, and nothing is said.
                await().during(Duration.ofSeconds(7)).atMost(PATIENCE).until(lines::isEmpty);

                broker.stop();
                writer.write(tick).onErrorResume(e -> Mono.empty()).block(PATIENCE);
                await().atMost(PATIENCE).until(() -> contact.awaySince().isPresent());
                assertThat(lines).hasSize(1);
                assertThat(lines.get(0)).startsWith("worker: Kafka is away since ");

                broker.start();
                // Nobody has to write for it to be noticed.
                await().atMost(PATIENCE).until(() -> contact.awaySince().isEmpty());
                assertThat(lines).hasSize(2);
                assertThat(lines.get(1)).startsWith("worker: Kafka is back after ");
                await().during(Duration.ofSeconds(2)).atMost(PATIENCE).until(() -> lines.size() == 2);
            } finally {
                reading.dispose();
            }
        }
    }
}
