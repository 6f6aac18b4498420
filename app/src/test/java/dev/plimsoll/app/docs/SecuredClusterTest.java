package dev.plimsoll.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.app.Plimsoll;
import dev.plimsoll.app.broker.SecuredBroker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The client properties that {@code docs/operating.md} shows are those that this test uses: it reads them out of the document and
 * changes nothing but the directory that they name.
 */
@Timeout(180)
class SecuredClusterTest {
    private static final Path PAGE = Documents.ROOT.resolve("docs/operating.md");
    private static final String DIRECTORY = "/etc/plimsoll";

    @TempDir
    Path directory;

    @Test
    void theWholeLoopRunsOverTlsWithThePropertiesOfTheDocument() throws Exception {
        try (SecuredBroker broker = SecuredBroker.start(directory, "nobody", "nothing")) {
            Path properties = shown("tls.properties");

            makesAndFindsTopics(broker.tls(), properties);
            assertThat(windowsOfALoop(broker.tls(), properties))
                    .as("windows that went through collector, aggregator, planner and worker")
                    .isPositive();
        }
    }

    @Test
    void theWholeLoopRunsWithAPasswordWithThePropertiesOfTheDocument() throws Exception {
        Path properties = shown("scram.properties");
        String login = load(properties).getProperty("sasl.jaas.config");
        try (SecuredBroker broker = SecuredBroker.start(directory, part(login, "username"), part(login, "password"))) {
            makesAndFindsTopics(broker.scram(), properties);
            assertThat(windowsOfALoop(broker.scram(), properties)).isPositive();

            Path wrong = directory.resolve("wrong.properties");
            Files.writeString(wrong, Files.readString(properties).replace(part(login, "password"), "guessed"));
            assertThat(Plimsoll.run(
                            "topics",
                            "list",
                            "--bootstrap-servers",
                            broker.scram(),
                            "--kafka-properties",
                            wrong.toString()))
                    .as("with another password")
                    .isNotZero();
        }
    }

    private static void makesAndFindsTopics(String servers, Path properties) {
        assertThat(Plimsoll.run(
                        "topics",
                        "create",
                        "--bootstrap-servers",
                        servers,
                        "--kafka-properties",
                        properties.toString(),
                        "--partitions",
                        "2"))
                .isZero();
        Awaitility.await("all topics as they should be")
                .until(() -> Plimsoll.run(
                                "topics",
                                "list",
                                "--bootstrap-servers",
                                servers,
                                "--kafka-properties",
                                properties.toString())
                        == 0);
    }

    /** Complete windows of a short loop of small ranks, all roles in this process. */
    private static long windowsOfALoop(String servers, Path properties) throws IOException {
        PrintStream before = System.out;
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        try (PrintStream to = new PrintStream(answer, true, StandardCharsets.UTF_8)) {
            System.setOut(to);
            assertThat(Plimsoll.run(
                            "up",
                            "--bootstrap-servers",
                            servers,
                            "--kafka-properties",
                            properties.toString(),
                            "--model",
                            "deepseek-v2-lite",
                            "--ranks",
                            "4",
                            "--window",
                            "64",
                            "--steps-per-second",
                            "50",
                            "--for",
                            "16s",
                            "--output",
                            "json"))
                    .isZero();
        } finally {
            System.setOut(before);
        }
        return new ObjectMapper()
                .readTree(answer.toString(StandardCharsets.UTF_8))
                .at("/windows/complete")
                .asLong(-1);
    }

    /** The block of the document as a file, with the certificate where it says. */
    private Path shown(String name) throws IOException {
        String text = Documents.block(PAGE, name);
        assertThat(text).contains(DIRECTORY);
        return Files.writeString(directory.resolve(name), text.replace(DIRECTORY, directory.toString()));
    }

    private static Properties load(Path file) throws IOException {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        return properties;
    }

    /** A quoted part of a JAAS line. */
    private static String part(String login, String name) {
        return login.replaceAll("(?s).*\\b" + name + "=\"([^\"]*)\".*", "$1");
    }
}
