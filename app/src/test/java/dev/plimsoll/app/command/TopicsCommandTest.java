package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.app.Failures;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(90)
class TopicsCommandTest {
    @TempDir
    Path directory;

    @Test
    void topicsThatAreThereDecideThePartitionsOfLaterOnes() {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            String kafka = broker.bootstrapServers();
            assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", kafka, "--partitions", "3"))
                    .isZero();
            Awaitility.await().until(() -> Plimsoll.run("topics", "list", "--bootstrap-servers", kafka) == 0);

            assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", kafka, "--partitions", "4"))
                    .as("a contradiction")
                    .isEqualTo(2);
            assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", kafka))
                    .as("without the option")
                    .isZero();
        }
    }

    @Test
    void topicsThatAreNotThereAreCalledMissingOnce() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            String said = said("topics", "list", "--bootstrap-servers", broker.bootstrapServers());

            assertThat(said.lines().filter(line -> line.contains("plimsoll.plan.v1")))
                    .singleElement()
                    .asString()
                    .contains("missing");
            assertThat(said).doesNotContain("differs");
        }
    }

    @Test
    void theTimeOfATailIsOneOfReading() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(directory, 0)) {
            KafkaSettings kafka = KafkaSettings.of(broker.bootstrapServers());
            try (TopicAdmin admin = new TopicAdmin(kafka, Duration.ofSeconds(30))) {
                admin.create(2, 1);
            }
            Deployment deployment = new Deployment("a/b");
            TopicWriter.writeTogether(
                    kafka,
                    "test",
                    List.of(Output.of(Topic.SAMPLES, deployment, new End(deployment, 7))),
                    Duration.ofSeconds(30));

            String said = said(
                    "topics",
                    "tail",
                    "samples",
                    "--bootstrap-servers",
                    broker.bootstrapServers(),
                    "--from-beginning",
                    "--for",
                    "1s");

            assertThat(said).contains("END a/b incarnation 7");
        }
    }

    /** What a command says on standard output. */
    private static String said(String... arguments) {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            Plimsoll.run(arguments);
        } finally {
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    /** Side by side, as each is patient for a while before it gives up. */
    @Test
    void aClusterThatIsAwayHasAnExitCodeOfItsOwn() {
        List<CompletableFuture<Integer>> codes = Stream.of("list", "tail")
                .map(command -> CompletableFuture.supplyAsync(
                        () -> Plimsoll.run("topics", command, "--bootstrap-servers", "127.0.0.1:1"),
                        task -> new Thread(task, "topics " + command).start()))
                .toList();
        assertThat(Plimsoll.run("topics", "create", "--bootstrap-servers", "no-such-host.invalid:1"))
                .as("a name that nobody knows")
                .isEqualTo(Failures.UNREACHABLE);
        assertThat(codes).extracting(CompletableFuture::join).containsOnly(Failures.UNREACHABLE);
    }
}
