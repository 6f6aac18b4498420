package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher {@code plimsoll} and its archive of classes, in a tree with a build that has one class. */
class LauncherTest {
    private static final Duration LONGEST = Duration.ofSeconds(90);
    private static final String MAIN = "dev.plimsoll.app.Plimsoll";
    private static final String TRAINING = "up ";

    @TempDir
    private Path tree;

    /** What one command did. */
    private record Ran(int code, String out, String err, String loaded) {
        static final String FROM_ARCHIVE = MAIN + " source: shared objects file (top)";
    }

    @BeforeEach
    void build() throws IOException {
        Files.copy(Path.of("..", "plimsoll"), tree.resolve("plimsoll"));
        build("if (arguments.length == 0) System.exit(3); System.out.println(String.join(\" \", arguments));");
    }

    /** What goes on behind a command that has ended writes into the tree. */
    @AfterEach
    void awaitArchive() {
        if (Files.exists(tree.resolve(".plimsoll"))) {
            await().atMost(LONGEST).until(() -> !archives().isEmpty());
        }
    }

    @Test
    void archiveIsMadeBehindTheFirstCommandAndUsedByTheNext() throws Exception {
        Ran first = run("", "hello", "--you");
        Path archive = archive();
        Ran second = run("", "hello", "--you");

        assertThat(first.loaded()).contains(MAIN).doesNotContain(Ran.FROM_ARCHIVE);
        assertThat(second.loaded()).contains(Ran.FROM_ARCHIVE);
        for (Ran ran : List.of(first, second)) {
            assertThat(ran.code()).isZero();
            assertThat(ran.out()).isEqualTo("hello --you\n");
            assertThat(ran.err()).isEmpty();
        }
        assertThat(Files.readString(tree.resolve(".plimsoll/archive.log"))).startsWith(TRAINING);
        assertThat(archives()).as("made once").containsExactly(archive);
    }

    @Test
    void archiveOfAnotherJarOrADamagedOneDoesNoHarm() throws Exception {
        run("", "hello");
        Path archive = archive();
        byte[] whole = Files.readAllBytes(archive);
        assertThat(archive.toFile().setWritable(true)).isTrue();

        Files.write(archive, List.of(), StandardOpenOption.TRUNCATE_EXISTING);
        assertDoesWithout(run("", "hello"), "empty");
        for (int length : new int[] {whole.length / 2, whole.length - 1, 5_000}) {
            Files.write(archive, java.util.Arrays.copyOf(whole, length));
            assertDoesWithout(run("", "hello"), "cut to " + length);
        }
        byte[] noise = new byte[whole.length];
        new Random(1).nextBytes(noise);
        Files.write(archive, noise);
        assertDoesWithout(run("", "hello"), "noise");

        Files.write(archive, whole);
        assertThat(run("", "hello").loaded()).as("whole again").contains(Ran.FROM_ARCHIVE);
        Files.setLastModifiedTime(jar(), FileTime.from(Instant.now().minusSeconds(100)));
        assertDoesWithout(run("", "hello"), "another jar");
    }

    @Test
    void nextBuildHasAnArchiveOfItsOwn() throws Exception {
        run("", "hello");
        archive();

        Files.writeString(built(), "another build\n");
        run("", "hello");

        await().atMost(LONGEST).until(() -> archives().size() == 2);
        assertThat(run("", "hello").loaded()).contains(Ran.FROM_ARCHIVE);
    }

    @Test
    void archiveThatCannotBeMadeIsTriedOnce() throws Exception {
        build("if (arguments[0].equals(\"up\")) System.exit(1); System.out.println(arguments[0]);");

        assertDoesWithout(run("", "hello"), "none yet");
        Path archive = archive();
        FileTime made = Files.getLastModifiedTime(archive);
        assertDoesWithout(run("", "hello"), "none to be had");

        assertThat(archive).isEmptyFile();
        assertThat(Files.getLastModifiedTime(archive)).isEqualTo(made);
        assertThat(archives()).hasSize(1);
    }

    @Test
    void commandsThatStartTogetherMakeOneArchive() throws Exception {
        List<Process> together = Stream.generate(() -> start("", Path.of("/dev/null"), "hello"))
                .limit(4)
                .toList();
        for (Process process : together) {
            assertThat(process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        }

        archive();
        assertThat(run("", "hello").loaded()).contains(Ran.FROM_ARCHIVE);
        assertThat(archives()).hasSize(1);
    }

    private static void assertDoesWithout(Ran ran, String archive) {
        assertThat(ran.err()).as(archive).isEmpty();
        assertThat(ran.code()).as(archive).isZero();
        assertThat(ran.out()).as(archive).isEqualTo("hello\n");
        assertThat(ran.loaded()).as(archive).contains(MAIN).doesNotContain(Ran.FROM_ARCHIVE);
    }

    private Path archive() {
        return await().atMost(LONGEST)
                .until(this::archives, made -> !made.isEmpty())
                .get(0);
    }

    private List<Path> archives() {
        try (Stream<Path> files = Files.list(tree.resolve("app/target"))) {
            return files.filter(file -> file.toString().endsWith(".jsa")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Ran run(String options, String... arguments) throws IOException, InterruptedException {
        Path loaded = tree.resolve("loaded");
        Files.deleteIfExists(loaded);
        Process process = start("-Xlog:class+load:file=" + loaded + " " + options, tree.resolve("err"), arguments);
        String out = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return new Ran(
                process.exitValue(),
                out,
                Files.readString(tree.resolve("err")),
                Files.exists(loaded) ? Files.readString(loaded) : "");
    }

    private Process start(String options, Path err, String... arguments) {
        List<String> command = Stream.concat(
                        Stream.of("sh", tree.resolve("plimsoll").toString()), Stream.of(arguments))
                .toList();
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("PLIMSOLL_HEAP", "64m");
        builder.environment().put("PLIMSOLL_OPTS", options);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path jar() {
        return tree.resolve("app/target/plimsoll.jar");
    }

    private Path built() {
        return tree.resolve("app/target/built");
    }

    /** A finished build whose program does this. */
    private void build(String body) throws IOException {
        Path source = tree.resolve("source/Plimsoll.java");
        Files.createDirectories(source.getParent());
        Files.writeString(
                source,
                "package dev.plimsoll.app; public class Plimsoll { public static void main(String[] arguments) { "
                        + body + " } }");
        int code = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler(), "tests need a JDK, not a JRE")
                .run(null, null, null, "-d", tree.resolve("classes").toString(), source.toString());
        assertThat(code).isZero();
        Files.createDirectories(jar().getParent());
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        String entry = MAIN.replace('.', '/') + ".class";
        try (OutputStream file = Files.newOutputStream(jar());
                JarOutputStream jar = new JarOutputStream(file, manifest)) {
            jar.putNextEntry(new ZipEntry(entry));
            jar.write(Files.readAllBytes(tree.resolve("classes").resolve(entry)));
        }
        Files.writeString(built(), "a build\n");
    }
}
