package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Tick;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.ClientListener;
import dev.plimsoll.wire.kafka.KafkaContact;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicReader;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;

/** Kafka's metrics of our clients, for as long as they are open. */
class KafkaMetersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private final Meters meters = new Meters();

    @AfterEach
    void close() {
        meters.close();
    }

    @Test
    void everyClientsMetricsAreThereWhileItIsOpenAndGoneWhenItIsClosed() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            KafkaContact contact = new KafkaContact("test", line -> {});
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers()).told(meters.kafka("test", contact));
            try (TopicAdmin admin = new TopicAdmin(kafka, Duration.ofSeconds(20))) {
                admin.create(1, 1);
            }
            Deployment deployment = new Deployment("d");
            try (TopicWriter writer = new TopicWriter(kafka, "w", 4, PATIENCE)) {
                writer.write(Output.of(Topic.SAMPLES, deployment, (SampleRecord) new Tick(deployment)))
                        .block(PATIENCE);
                Disposable reading = TopicReader.records(
                                kafka, Topic.SAMPLES, new TopicReader.Start.Beginning(), record -> {})
                        .subscribe();
                Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
                    assertThat(lines("kafka_producer_record_error_total"))
                            .singleElement()
                            .asString()
                            .contains("client_id=\"plimsoll-w-")
                            .contains("role=\"test\"");
                    assertThat(lines("kafka_producer_record_send_total"))
                            .singleElement()
                            .asString()
                            .endsWith(" 1.0");
                    assertThat(lines("kafka_consumer_fetch_manager_records_lag_max"))
                            .hasSize(1);
                });
                assertThat(lines("kafka_").size()).as("of two clients").isLessThan(60);
                reading.dispose();
                Awaitility.await()
                        .atMost(PATIENCE)
                        .until(() -> lines("kafka_consumer_").isEmpty());
            }
            assertThat(lines("kafka_")).isEmpty();
        }
    }

    @Test
    void positionBehindTheStableEndIsThereUntilThePartitionIsReleased() {
        ClientListener listener = meters.kafka("planner", new KafkaContact("test", line -> {}));
        listener.onBehind("plimsoll.windows.v1", 3, 12, OptionalDouble.of(1.5));
        listener.onBehind("plimsoll.windows.v1", 4, 7, OptionalDouble.empty());

        String three = "{partition=\"3\",role=\"planner\",topic=\"plimsoll.windows.v1\"}";
        assertThat(lines("plimsoll_behind_records")).hasSize(2).contains("plimsoll_behind_records" + three + " 12.0");
        assertThat(lines("plimsoll_behind_seconds")).containsExactly("plimsoll_behind_seconds" + three + " 1.5");

        listener.onReleased("plimsoll.windows.v1", 3);
        assertThat(lines("plimsoll_behind_")).singleElement().asString().contains("partition=\"4\"");
    }

    @Test
    void aClusterThatIsAwayIsAGauge() {
        ClientListener listener = meters.kafka("worker", new KafkaContact("test", line -> {}));
        assertThat(lines("plimsoll_kafka_away")).containsExactly("plimsoll_kafka_away{role=\"worker\"} 0.0");
        listener.onSilence("c", Instant.now(), "no answer");
        assertThat(lines("plimsoll_kafka_away")).containsExactly("plimsoll_kafka_away{role=\"worker\"} 1.0");
    }

    private List<String> lines(String begin) {
        return meters.registry()
                .scrape()
                .lines()
                .filter(line -> line.startsWith(begin))
                .toList();
    }
}
