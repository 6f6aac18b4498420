package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.kafka.tools.consumer.ConsoleConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's own console consumer shows our records when it is told of our formatter. */
class ConsoleConsumerTest {
    @TempDir
    Path directory;

    @Test
    void kafkasConsoleConsumerPrintsOurRecordsAsLines() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, Duration.ofSeconds(20))) {
                admin.create(1, 1);
            }
            Deployment deployment = new Deployment("test/decode-0");
            PlanCommand term = new PlanCommand.Term(new PlanHeader(deployment, 1, 3, 1), "somebody");
            try (TopicWriter writer = new TopicWriter(kafka, "test", 4, Duration.ofSeconds(20))) {
                writer.write(Output.of(Topic.PLAN, deployment, term)).block(Duration.ofSeconds(20));
            }

            String printed = consume(
                    "--bootstrap-server",
                    broker.bootstrapServers(),
                    "--topic",
                    Topic.PLAN.name(),
                    "--from-beginning",
                    "--max-messages",
                    "1",
                    "--timeout-ms",
                    "20000",
                    "--isolation-level",
                    "read_committed",
                    "--formatter",
                    "dev.plimsoll.wire.kafka.PlimsollFormatter");

            assertThat(printed).contains("TERM 3 by somebody").contains("test/decode-0");
        }
    }

    private static String consume(String... arguments) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setOut(out);
            ConsoleConsumer.run(new org.apache.kafka.tools.consumer.ConsoleConsumerOptions(arguments));
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
