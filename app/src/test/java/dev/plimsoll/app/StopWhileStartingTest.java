package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ctrl-C at any moment of {@code plimsoll up}. More often than in every build: {@code ./mvnw -pl app -am test
 * -Dtest=StopWhileStartingTest -Dsurefire.failIfNoSpecifiedTests=false -Dplimsoll.stops=100}, with {@code -Dplimsoll.seed=N} for
 * other moments.
 */
class StopWhileStartingTest {
    private static final int STOPS = Integer.getInteger("plimsoll.stops", 8);
    private static final long SEED = Long.getLong("plimsoll.seed", 20);
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final Duration STOP = Duration.ofSeconds(10);
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    /** What a start says one after the other; a stop comes up to so many milliseconds after one of them. */
    private record Moment(String line, int millis) {}

    private static final List<Moment> MOMENTS = List.of(
            new Moment("", 4_000),
            new Moment("broker ", 500),
            new Moment("broker ", 2_000),
            new Moment("topics ", 500),
            new Moment("ranks ", 500),
            new Moment("roles ", 500),
            new Moment("roles ", 2_000));

    @TempDir
    Path directory;

    @Test
    void signalAtAnyMomentStopsTheStartAndLeavesNothing() throws Exception {
        Random random = new Random(SEED);
        for (int i = 0; i < STOPS; i++) {
            Moment moment = MOMENTS.get(random.nextInt(MOMENTS.size()));
            long millis = random.nextInt(moment.millis());
            // In a background job SIGINT is ignored, and a JVM leaves it so.
            String signal = interruptIsIgnored() || random.nextBoolean() ? "TERM" : "INT";
            String tried = "try " + i + " of seed " + SEED + ": SIG" + signal + " " + millis + " ms after '"
                    + moment.line() + "'";
            System.out.println(tried);
            stopAt(moment.line(), millis, signal, tried);
        }
    }

    private void stopAt(String line, long millis, String signal, String tried) throws Exception {
        Path temporary = Files.createTempDirectory(directory, "tmp");
        try (RoleProcess up = RoleProcess.start(
                directory, List.of("-Xmx512m", "-Djava.io.tmpdir=" + temporary, "-Dplimsoll.terminal=false"), "up")) {
            await(tried)
                    .atMost(SOON)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> up.out().contains(line));
            LockSupport.parkNanos(millis * 1_000_000);

            up.signal(signal);

            assertThat(up.exitCode(STOP)).as(tried).isEqualTo(signal.equals("INT") ? 130 : 143);
            String said = up.out() + up.err();
            assertThat(said).as(tried).doesNotContain("\tat ").doesNotContain("Exception");
            assertThat(said).as(tried).doesNotContain("problem").doesNotContain("WARN");
            assertThat(entries(temporary)).as(tried).isEmpty();
            assertThat(entries(SHARED_MEMORY))
                    .as(tried)
                    .noneMatch(path -> path.getFileName().toString().startsWith("plimsoll-" + up.pid() + "-"));
        }
    }

    private static List<Path> entries(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        }
    }

    private static boolean interruptIsIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        String mask = Files.readString(status).replaceAll("(?s).*SigIgn:\\s*([0-9a-f]+).*", "$1");
        return (Long.parseUnsignedLong(mask, 16) & 1L << 1) != 0;
    }
}
