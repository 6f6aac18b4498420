package dev.plimsoll.app.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.plimsoll.app.broker.EmbeddedBroker;
import dev.plimsoll.testkit.Readers;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.TopicAdmin;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients of others, as they are installed, decode every topic through our registry: what they read sums up to what was written. Each is
 * skipped where it cannot be had.
 */
@Timeout(180)
final class OtherReadersTest {
    private static final Path SCRIPTS = Path.of("src", "test");
    private static final Path INSTALLED = Path.of("target", "registry-npm");
    private static final Duration LONGEST = Duration.ofSeconds(90);

    @TempDir
    static Path directory;

    private static final Catalogue CATALOGUE = new Catalogue();
    private static final List<ReleasedRecords.Released> RECORDS = ReleasedRecords.all();
    private static EmbeddedBroker broker;
    private static RegistryServer registry;

    @BeforeAll
    static void writeEveryRecord() throws Exception {
        broker = EmbeddedBroker.start(directory.resolve("broker"), 0);
        try (TopicAdmin admin = new TopicAdmin(KafkaSettings.of(broker.bootstrapServers()), Duration.ofSeconds(20))) {
            admin.create(1, 1);
        }
        ReleasedRecords.write(broker.bootstrapServers(), RECORDS);
        registry = new RegistryServer("127.0.0.1", 0, CATALOGUE);
    }

    @AfterAll
    static void stop() {
        registry.close();
        broker.close();
    }

    @Test
    void aRecordOfEverySchemaStandsInTheTopics() {
        assertThat(RECORDS.stream().map(ReleasedRecords.Released::schemaId))
                .containsAll(
                        CATALOGUE.schemas().stream().map(schema -> schema.id()).toList());
    }

    @Test
    void confluentsClientForPythonDecodesEveryTopic() throws Exception {
        Readers readers = Readers.orSkip();

        String said = readers.run(
                LONGEST,
                Files.readString(SCRIPTS.resolve(Path.of("python", "decode.py"))),
                arguments().toArray());

        assertThat(said.lines().sorted().toList()).isEqualTo(ReleasedRecords.lines(RECORDS, CATALOGUE));
    }

    @Test
    void kafkajsDecodesEveryTopic() throws Exception {
        install();
        List<String> command = new ArrayList<>(List.of("node", "decode.js"));
        command.addAll(arguments());

        String said = run(command);

        assertThat(said.lines().sorted().toList()).isEqualTo(ReleasedRecords.lines(RECORDS, CATALOGUE));
    }

    private static List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of(
                broker.bootstrapServers(), "http://127.0.0.1:" + registry.port(), Integer.toString(RECORDS.size())));
        Topic.all().forEach(topic -> arguments.add(topic.name()));
        return arguments;
    }

    private static void install() throws IOException, InterruptedException {
        skipWithout(there("node") && there("npm"), "node and npm are not on the PATH");
        Files.createDirectories(INSTALLED);
        for (String file : List.of("decode.js", "package.json")) {
            Files.write(INSTALLED.resolve(file), Files.readAllBytes(SCRIPTS.resolve(Path.of("javascript", file))));
        }
        if (!Files.isDirectory(INSTALLED.resolve(Path.of("node_modules", "@kafkajs")))) {
            Process npm = start(List.of("npm", "install", "--no-audit", "--no-fund", "--no-package-lock"));
            boolean ended = npm.waitFor(60, TimeUnit.SECONDS);
            npm.destroyForcibly();
            skipWithout(ended && npm.exitValue() == 0, "npm cannot install it: " + text("errors"));
        }
    }

    private static void skipWithout(boolean condition, String why) {
        if (!condition) {
            System.out.println("NOTICE: kafkajs decodes nothing here: " + why);
        }
        assumeTrue(condition, why);
    }

    private static boolean there(String program) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = start(command);
        boolean ended = process.waitFor(LONGEST.toMillis(), TimeUnit.MILLISECONDS);
        process.destroyForcibly();
        assertThat(ended && process.waitFor() == 0)
                .as(() -> command + ": " + text("errors"))
                .isTrue();
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
