package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.RandomValues.Kind;
import dev.plimsoll.wire.kafka.Output;
import dev.plimsoll.wire.kafka.TestBroker;
import dev.plimsoll.wire.kafka.TopicAdmin;
import dev.plimsoll.wire.kafka.TopicWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * kafkajs as npm installs it, without plug-ins, reads what we write: the client that has the fewest codecs stands for the others.
 * Skipped where node or the npm registry cannot be had.
 */
final class KafkaJsTest {
    private static final Deployment DEPLOYMENT = new Deployment("test/decode-0");
    private static final Path SCRIPT = Path.of("src", "test", "javascript");
    private static final Path INSTALLED = Path.of("target", "kafkajs");

    @TempDir
    Path directory;

    @Test
    void everyTopicThatPeopleReadIsReadByKafkaJs() throws Exception {
        install();
        try (TestBroker broker = new TestBroker(directory)) {
            try (TopicAdmin admin = new TopicAdmin(broker.client(), Duration.ofSeconds(20))) {
                admin.create(1, 1);
            }
            // given a record of every kind as loops write them, in a transaction, and one as a worker does it
            List<Output<?>> outputs = new ArrayList<>();
            RandomValues.KINDS.forEach(kind -> outputs.add(output(kind)));
            TopicWriter.writeTogether(broker.client(), "kafkajs", outputs, Duration.ofSeconds(30));
            Output<?> ack = outputs.stream()
                    .filter(output -> output.topic() == Topic.ACKS)
                    .findFirst()
                    .orElseThrow();
            try (TopicWriter writer = new TopicWriter(broker.client(), "w", 1, Duration.ofSeconds(10))) {
                writer.write(ack).block(Duration.ofSeconds(20));
            }
            outputs.add(ack);

            // when
            List<String> command = new ArrayList<>(
                    List.of("node", "read.js", broker.client().bootstrapServers(), Integer.toString(outputs.size())));
            Topic.all().forEach(topic -> command.add(topic.name()));
            String printed = run(command, Duration.ofSeconds(90));

            // then
            assertThat(printed.lines().sorted().toList())
                    .isEqualTo(lines(outputs).stream().sorted().toList());
            assertThat(outputs.stream().map(Output::topic).distinct())
                    .hasSize(Topic.all().size());
        }
    }

    private static <T> Output<T> output(Kind<T> kind) {
        return Output.of(kind.topic(), DEPLOYMENT, kind.value(7));
    }

    private static List<String> lines(List<Output<?>> outputs) {
        return outputs.stream().map(output -> line(output)).toList();
    }

    private static <T> String line(Output<T> output) {
        Topic<T> topic = output.topic();
        return topic.name() + " " + topic.key(output.value()) + " "
                + Base64.getEncoder().encodeToString(topic.encode(output.value()));
    }

    private static void install() throws IOException, InterruptedException {
        assumeTrue(there("node") && there("npm"), "node and npm are not on the PATH: kafkajs reads nothing here");
        Files.createDirectories(INSTALLED);
        for (String file : List.of("read.js", "package.json")) {
            Files.write(INSTALLED.resolve(file), Files.readAllBytes(SCRIPT.resolve(file)));
        }
        if (!Files.isDirectory(INSTALLED.resolve(Path.of("node_modules", "kafkajs")))) {
            Process npm = start(List.of("npm", "install", "--no-audit", "--no-fund", "--no-package-lock"));
            boolean ended = npm.waitFor(60, TimeUnit.SECONDS);
            if (!ended) {
                npm.destroyForcibly();
            }
            assumeTrue(
                    ended && npm.exitValue() == 0,
                    () -> "npm cannot install kafkajs: it reads nothing here: " + text("errors"));
        }
    }

    private static boolean there(String program) {
        return Stream.of(System.getenv("PATH").split(java.io.File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }

    private static String run(List<String> command, Duration longest) throws IOException, InterruptedException {
        Process process = start(command);
        if (!process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
        }
        assertThat(process.waitFor()).as(() -> text("errors")).isZero();
        return text("said");
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .directory(INSTALLED.toFile())
                .redirectOutput(INSTALLED.resolve("said").toFile())
                .redirectError(INSTALLED.resolve("errors").toFile())
                .start();
    }

    private static String text(String file) {
        try {
            return Files.readString(INSTALLED.resolve(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
