package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class FailuresTest {
    private static final List<List<String>> ALL_THAT_NEED_A_CLUSTER = List.of(
            List.of("up"),
            List.of("topics", "create"),
            List.of("topics", "list"),
            List.of("topics", "tail"),
            List.of("deployment", "list"),
            List.of("rollback", "--to-version=0"),
            List.of("collector", "--ring-dir", "/dev/shm/none"),
            List.of("worker", "--ring-dir", "/dev/shm/none"),
            List.of("aggregator"),
            List.of("planner"));

    private final StringWriter err = new StringWriter();

    @TempDir
    Path directory;

    @Test
    void addressWithoutAPortIsWrongOptionsInAllCommandsWithKafkasOwnWords() {
        for (List<String> command : ALL_THAT_NEED_A_CLUSTER) {
            err.getBuffer().setLength(0);

            assertThat(run(command, "--bootstrap-servers", "localhost"))
                    .as("%s", command)
                    .isEqualTo(2);

            assertThat(err.toString())
                    .as("%s", command)
                    .contains("Invalid url in bootstrap.servers: localhost")
                    .contains("--bootstrap-servers");
        }
    }

    @Test
    void securityThatCannotBeSetUpIsWrongOptionsInAllCommandsWithKafkasOwnWords() throws IOException {
        Path properties = directory.resolve("sasl.properties");
        Files.writeString(properties, "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n");
        for (List<String> command : ALL_THAT_NEED_A_CLUSTER) {
            err.getBuffer().setLength(0);

            assertThat(run(command, "--bootstrap-servers", "127.0.0.1:1", "--kafka-properties", properties.toString()))
                    .as("%s", command)
                    .isEqualTo(2);

            assertThat(err.toString())
                    .as("%s", command)
                    .contains("Could not find a 'KafkaClient' entry in the JAAS configuration")
                    .contains("--kafka-properties");
        }
    }

    @Test
    void hostThatNobodyKnowsCannotBeReached() {
        assertThat(run(List.of("topics", "list"), "--bootstrap-servers", "no-such-host.invalid:9092"))
                .isEqualTo(6);
        assertThat(run(List.of("up"), "--bootstrap-servers", "no-such-host.invalid:9092"))
                .isEqualTo(6);
        assertThat(err.toString()).contains("No resolvable bootstrap urls").contains("no such host is known");
    }

    @Test
    void errorsAreToldInOneLineWithARemedy() {
        Failures memory = Failures.of(new OutOfMemoryError("Java heap space"));
        assertThat(memory.line()).contains("Java heap space").contains("PLIMSOLL_HEAP");
        assertThat(memory.exitCode()).isEqualTo(1);

        Failures library = Failures.of(new ExceptionInInitializerError(
                new UnsatisfiedLinkError("/x/libplimsoll.so: failed to map segment from shared object")));
        assertThat(library.line())
                .contains("failed to map segment")
                .contains(System.getProperty("org.bytedeco.javacpp.cachedir", ".javacpp/cache"))
                .contains("noexec")
                .contains("org.bytedeco.javacpp.cachedir");
    }

    @Test
    void commandThatEndsWithoutAFaultKeepsItsLineAndExitCode() {
        Failures stale = Failures.of(new EndedException(Failures.STALE, "v7 is settled, not v5"));

        assertThat(stale.line()).isEqualTo("v7 is settled, not v5");
        assertThat(stale.exitCode()).isEqualTo(4);
    }

    @Test
    void filesAreNamedWithWhatIsWrongWithThem() {
        assertThat(Failures.of(new NoSuchFileException("/data/x")).line())
                .isEqualTo("cannot use /data/x: it is not there");
        assertThat(Failures.of(new UncheckedIOException("cannot write /data/y", new AccessDeniedException("/data/y")))
                        .line())
                .isEqualTo("cannot use /data/y: this user may not");
        assertThat(Failures.of(new UncheckedIOException("cannot read /data/z", new IOException("Input/output error")))
                        .line())
                .isEqualTo("cannot read /data/z: Input/output error");
    }

    @Test
    void libraryThatCannotBeUnpackedNamesDirectoryAndProperty() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        try (RoleProcess devices = RoleProcess.start(
                directory,
                List.of("-Dorg.bytedeco.javacpp.cachedir=" + file.resolve("cache"), "-Duser.home=" + file),
                "devices")) {
            int code = devices.exitCode(Duration.ofSeconds(60));

            assertThat(devices.err()).doesNotContain("\tat ").doesNotContain("Exception in thread");
            assertThat(code == 0 || devices.err().contains(file.resolve("cache").toString()))
                    .as("code %d: %s", code, devices.err())
                    .isTrue();
        }
    }

    @Test
    void argumentThatBeginsWithAnAtIsNotAFile() throws IOException {
        Path file = directory.resolve("arguments");
        Files.writeString(file, "--help");

        assertThat(run(List.of("topics", "tail", "--bootstrap-servers", "127.0.0.1:1"), "@" + file))
                .isEqualTo(2);

        assertThat(err.toString()).contains("no topic '@" + file + "'");
    }

    private int run(List<String> command, String... more) {
        CommandLine line = Plimsoll.commandLine();
        line.setErr(new PrintWriter(err, true));
        List<String> arguments = new java.util.ArrayList<>(command);
        arguments.addAll(List.of(more));
        return line.execute(arguments.toArray(String[]::new));
    }
}
