package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.aggregator.Aggregator;
import dev.plimsoll.aggregator.AggregatorListener;
import dev.plimsoll.aggregator.AggregatorSettings;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** From garbage in the samples topic to a window, with a real broker and a real aggregator. */
@Timeout(120)
class QuarantineCommandTest {
    private static final Deployment ONE = new Deployment("r1/decode-0");
    private static final Membership MEMBERS = new Membership(
            ONE,
            1,
            ModelShape.of("test", 3, 1, 0, 2),
            Topology.even(2, 1, 2),
            "test",
            Phase.DECODE,
            GatherMode.HOST,
            16,
            32,
            1,
            1);
    /** Where it belongs is 0; the test writes it to 1. */
    private static final int PARTITIONS = 2;

    private static final int BOMB = 24 << 20;

    @TempDir
    Path directory;

    private final List<Quarantined> unreadable = new CopyOnWriteArrayList<>();
    private final List<WindowSummary> windows = new CopyOnWriteArrayList<>();
    private String kafka = "";

    private static LoadSample sample(long from, long to) {
        return new LoadSample(
                ONE,
                1,
                new StepRange(from, to),
                Phase.DECODE,
                "test",
                0,
                2,
                0,
                2,
                2,
                PlacementState.settled(1),
                false,
                LongVector.of(20, 20),
                Counters.of(5, 5, 5, 5, 5, 5, 5, 5));
    }

    /** What a producer of another program does. */
    private void write(int partition, byte[]... values) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        kafka,
                        "compression.type",
                        "zstd",
                        "max.request.size",
                        2 * BOMB,
                        "buffer.memory",
                        2 * BOMB),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (byte[] value : values) {
                var unused = producer.send(new ProducerRecord<>(
                        Topic.SAMPLES.name(), partition, "some\nkey".getBytes(StandardCharsets.UTF_8), value));
            }
        }
    }

    private record Said(int exitCode, String text) {
        List<String> lines() {
            return text.lines().toList();
        }
    }

    private Said quarantine(String... arguments) {
        String[] all = new String[arguments.length + 3];
        all[0] = "quarantine";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[all.length - 2] = "--bootstrap-servers";
        all[all.length - 1] = kafka;
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            return new Said(Plimsoll.run(all), out.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(before);
        }
    }

    @Test
    void whatWentToTheWrongPartitionIsFoundShownAndReplayedIntoAWindow() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            kafka = broker.bootstrapServers();
            try (TopicAdmin admin = new TopicAdmin(KafkaSettings.of(kafka), Duration.ofSeconds(30))) {
                admin.create(PARTITIONS, 1);
            }
            int other = 1 - Topic.partition(ONE, PARTITIONS);
            Said nothing = quarantine("list");
            assertThat(nothing.text()).contains("nothing is in quarantine");
            byte[] whole = Topic.SAMPLES.encode(sample(0, 16));
            write(
                    other,
                    "hello".getBytes(StandardCharsets.UTF_8),
                    Arrays.copyOf(whole, whole.length - 13),
                    Topic.SAMPLES.encode(MEMBERS),
                    Topic.SAMPLES.encode(sample(0, 16)),
                    Topic.SAMPLES.encode(sample(16, 32)),
                    new byte[BOMB]);
            try (Aggregator aggregator =
                    new Aggregator(KafkaSettings.of(kafka), AggregatorSettings.DEFAULT, new AggregatorListener() {
                        @Override
                        public void unreadable(Quarantined record) {
                            unreadable.add(record);
                        }

                        @Override
                        public void windowClosed(WindowSummary window) {
                            windows.add(window);
                        }
                    })) {
                aggregator.start();
                Awaitility.await()
                        .atMost(Duration.ofSeconds(60))
                        .until(() -> quarantine("list").lines().size() == 12);

                list(other);
                show(other);
                replay(other);
            }
        }
    }

    private void list(int other) throws Exception {
        Said all = quarantine("list");
        assertThat(all.exitCode()).isZero();
        assertThat(all.lines().get(0))
                .endsWith("FRAME          plimsoll.samples.v1-" + other
                        + "@0 5 bytes of 'some?key': record starts with byte 104 instead of 0");
        assertThat(all.lines().subList(7, 11))
                .containsExactly(
                        "REASON              RECORDS   LEFT OUT   REPLAYED",
                        "FRAME                     1          0          0",
                        "MALFORMED                 1          0          0",
                        "MISPLACED                 3          0          0");
        assertThat(all.lines().get(11)).startsWith("UNKNOWN_SCHEMA ");
        assertThat(quarantine("list", "--reason", "frame,malformed", "--max-records", "1")
                        .lines())
                .hasSize(6)
                .contains("the newest 1 of 2 records; --max-records 2 lists all");
        assertThat(quarantine("list", "--last", "1ms").text()).contains("nothing");
        List<String> json = quarantine("list", "--output", "json").lines();
        JsonNode first = new ObjectMapper().readTree(json.get(0));
        assertThat(first.get("place").asText()).isEqualTo("plimsoll.samples.v1-" + other + "@0");
        assertThat(first.get("value").get("bytes").asText()).isEqualTo("68656c6c6f");
        assertThat(new ObjectMapper()
                        .readTree(json.get(json.size() - 1))
                        .get("counts")
                        .get("MISPLACED")
                        .get("records")
                        .asInt())
                .isEqualTo(3);
    }

    private void show(int other) throws Exception {
        Said malformed = quarantine("show", other + "@1");
        assertThat(malformed.text())
                .contains("read as       LoadSample version 4, schema id 170051")
                .contains("stepTo                       16")
                .contains("stops at      counters, byte ")
                .contains("it stands in its topic")
                .contains("00000000  00 00 02 98 43 16 72 31  2f 64 65 63 6f 64 65 2d  |....C.r1/decode-|");
        JsonNode misplaced = new ObjectMapper()
                .readTree(quarantine("show", "samples-" + other + "@3", "--output", "json")
                        .text());
        assertThat(misplaced.get("reason").asText()).isEqualTo("MISPLACED");
        assertThat(misplaced.get("read").has("stopsAt")).isFalse();
        assertThat(quarantine("show", other + "@99").exitCode()).isEqualTo(1);
        assertThat(quarantine("show", "nowhere").exitCode()).isEqualTo(2);
        // Of a record of 24 MiB, which came as a few kilobytes, 64 KiB are kept.
        JsonNode bomb = new ObjectMapper()
                .readTree(quarantine("list", "--reason", "unknown_schema", "--output", "json")
                        .lines()
                        .get(0))
                .get("value");
        assertThat(bomb.get("originalBytes").asInt()).isEqualTo(BOMB);
        assertThat(bomb.get("bytes").asText()).hasSize(2 * Quarantined.KEPT_BYTES);
    }

    private void replay(int other) {
        Said refused = quarantine("replay", "--all");
        assertThat(refused.exitCode()).as("some cannot be").isEqualTo(1);
        assertThat(refused.text())
                .contains("refused plimsoll.samples.v1-" + other + "@0: it still cannot be read: FRAME")
                .contains("3 would be replayed, 0 replayed before, 3 refused; nothing is written: add --yes");
        assertThat(windows).as("so far only asked").isEmpty();

        Said replayed = quarantine("replay", "--reason", "misplaced", "--yes");
        assertThat(replayed.exitCode()).isZero();
        assertThat(replayed.lines())
                .hasSize(4)
                .last()
                .asString()
                .startsWith("3 replayed, 0 replayed before, 0 refused");
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> windows.size() == 1);
        assertThat(windows.get(0).complete()).isTrue();

        assertThat(quarantine("replay", "--reason", "misplaced", "--yes").text())
                .contains("0 replayed, 3 replayed before, 0 refused");
        assertThat(quarantine("list", "--reason", "misplaced").text())
                .contains("(replayed)")
                .contains("MISPLACED                 3          0          3");
        assertThat(quarantine("replay", other + "@4", "--again", "--yes").text())
                .contains("1 replayed");
        assertThat(quarantine("replay", other + "@77", "--yes").exitCode()).isEqualTo(1);
        assertThat(unreadable).hasSize(6);
    }

    @Test
    void whatIsAskedForHasToBeSaid() {
        kafka = "127.0.0.1:1";

        assertThat(quarantine("replay").exitCode()).isEqualTo(2);
        assertThat(quarantine("replay", "--all", "--yes", "--dry-run").exitCode())
                .isEqualTo(2);
        assertThat(quarantine("list", "--from", "yesterday").exitCode()).isEqualTo(2);
    }
}
