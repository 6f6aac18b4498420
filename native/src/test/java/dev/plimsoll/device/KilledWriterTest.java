package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A writer that is killed without warning, as its ring's reader in another process sees it. */
@Timeout(120)
class KilledWriterTest {
    private static final int ROUNDS = 4;

    @TempDir
    Path directory;

    /** The writer: its argument is the directory. Counts and publishes until it is killed. */
    public static void main(String[] arguments) {
        try (Group group = new Group(Path.of(arguments[0]), 1);
                HeatRing own = HeatRing.open(group.members.get(0).file)) {
            for (long b = 0; ; b++) {
                group.members.get(0).count(1);
                group.members.get(0).boundary(b * Group.K, Group.idle());
                if (b == 100) {
                    Group.readUntil(own, b * Group.K);
                    System.out.println("published");
                }
            }
        }
    }

    private Process writer() throws IOException {
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledWriterTest.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Test
    void aKilledWritersLastSlotIsReadAndItsRingReplaced() throws Exception {
        Path file = directory.resolve("ring-0");
        for (int round = 0; round < ROUNDS; round++) {
            Process writer = writer();
            HeatRing ring;
            try (BufferedReader output = writer.inputReader(StandardCharsets.UTF_8)) {
                assertThat(output.readLine()).isEqualTo("published");
                ring = HeatRing.open(file);
                assertThat(ring.header().pid()).isEqualTo(writer.pid());
                assertThat(ring.writerAlive()).isTrue();
                Files.delete(directory.resolve("segment")); // else the group already refuses a second member 0
                assertThatThrownBy(() -> new Group(directory, 1).close())
                        .isInstanceOf(DeviceException.class)
                        .hasMessageContaining("two engines write to one ring")
                        .hasMessageContaining(String.valueOf(writer.pid()));
            } finally {
                writer.destroyForcibly();
                assertThat(writer.waitFor(20, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(ring.writerAlive()).isFalse();
            assertThat(ring.closed()).isFalse();
            assertThat(ring.current()).isTrue();
            long newest = ring.newest().orElseThrow().sequence();
            long last = 0;
            for (Optional<HeatRing.Snapshot> next = ring.poll(); next.isPresent(); next = ring.poll()) {
                HeatRing.Snapshot snapshot = next.get();
                last = snapshot.sequence();
                if (snapshot.valid()[0]) {
                    assertThat(snapshot.load()).containsOnly(snapshot.step() / Group.K + 1);
                }
            }
            assertThat(last).isEqualTo(newest).isGreaterThan(1);
            ring.close();
            Files.deleteIfExists(directory.resolve("segment"));
        }
    }

    @Test
    void onlyARegularFileIsOpened() throws IOException {
        try (Group group = new Group(directory, 1)) {
            Path link = Files.createSymbolicLink(directory.resolve("link"), group.members.get(0).file);

            assertThatThrownBy(() -> HeatRing.open(link)).hasMessageContaining("is a symbolic link");
            assertThatThrownBy(() -> HeatRing.open(directory)).hasMessageContaining("is not a regular file");
        }
    }

    @Test
    void aProcessIsKnownByItsStartAndNotByItsPidAlone() throws Exception {
        long pid = ProcessHandle.current().pid();
        HeatRing.Header header;
        try (Group group = new Group(directory, 1);
                HeatRing ring = HeatRing.open(group.members.get(0).file)) {
            header = ring.header();
        }
        assertThat(Processes.mayRun(pid, header.startTicks())).isTrue();
        assertThat(Processes.mayRun(pid, header.startTicks() - 1)).isFalse();
        assertThat(Processes.namespace()).isPositive();
        Process gone = new ProcessBuilder(List.of("true")).start();
        assertThat(gone.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(Processes.mayRun(gone.pid(), 1)).isFalse();
    }
}
