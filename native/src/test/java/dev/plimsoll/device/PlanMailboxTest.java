package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PlanMailboxTest {
    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void chooseFile() {
        file = directory.resolve("mailbox");
    }

    private static byte[] record(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void recordsComeOutAsTheyWentInAcrossTheEndOfTheRing() {
        try (PlanMailbox writer = PlanMailbox.open(file, 1024);
                PlanMailbox reader = PlanMailbox.open(file, 1024)) {
            assertThat(writer.lastPosition()).isEqualTo(-1);
            assertThat(reader.read()).isEmpty();
            Random random = new Random(5);
            for (int i = 0; i < 2000; i++) {
                byte[] record = new byte[random.nextInt(300)];
                random.nextBytes(record);
                assertThat(writer.write(i * 3L, record)).isTrue();
                assertThat(writer.lastPosition()).isEqualTo(i * 3L);
                assertThat(reader.read().orElseThrow()).isEqualTo(record);
            }
            assertThat(reader.read()).isEmpty();
        }
    }

    @Test
    void fullMailboxRefusesAndLosesNothing() {
        try (PlanMailbox writer = PlanMailbox.open(file, 256);
                PlanMailbox reader = PlanMailbox.open(file, 256)) {
            int written = 0;
            while (writer.write(written, record("command " + written))) {
                written++;
            }
            assertThat(written).isBetween(2, 8);
            assertThat(writer.lastPosition()).isEqualTo(written - 1);
            assertThat(reader.read()).hasValue(record("command 0"));
            assertThat(writer.write(written, record("command " + written))).isTrue();
            for (int i = 1; i <= written; i++) {
                assertThat(reader.read()).hasValue(record("command " + i));
            }
            assertThat(reader.read()).isEqualTo(Optional.empty());
            assertThatThrownBy(() -> writer.write(99, new byte[300])).hasMessageContaining("can never fit");
        }
    }

    @Test
    void aNewWriterAndANewReaderGoOnWhereTheOldOnesStopped() {
        try (PlanMailbox writer = PlanMailbox.open(file, 1024)) {
            writer.write(10, record("a"));
            writer.write(11, record("b"));
        }
        try (PlanMailbox reader = PlanMailbox.open(file, 1024)) {
            assertThat(reader.read()).hasValue(record("a"));
        }
        try (PlanMailbox writer = PlanMailbox.open(file, 1024);
                PlanMailbox reader = PlanMailbox.open(file, 1024)) {
            assertThat(writer.lastPosition()).isEqualTo(11);
            assertThatThrownBy(() -> writer.write(11, record("b again"))).hasMessageContaining("does not grow");
            writer.write(12, record("c"));
            assertThat(reader.read()).hasValue(record("b"));
            assertThat(reader.read()).hasValue(record("c"));
        }
    }

    @Test
    void aSecondWriterAndASecondReaderAreRefusedWhileTheFirstLives() {
        try (PlanMailbox first = PlanMailbox.open(file, 1024);
                PlanMailbox second = PlanMailbox.open(file, 1024)) {
            first.write(1, record("a"));
            assertThatThrownBy(() -> second.write(2, record("b"))).hasMessageContaining("another writer");
            assertThat(second.read()).hasValue(record("a"));
            assertThatThrownBy(first::read).hasMessageContaining("another reader");
        }
    }

    @Test
    void damagedRecordIsReportedAndNotSkipped() throws IOException {
        try (PlanMailbox writer = PlanMailbox.open(file, 1024);
                PlanMailbox reader = PlanMailbox.open(file, 1024)) {
            writer.write(1, record("permit epoch 6"));
            writer.write(2, record("abort epoch 6"));
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(new byte[] {'!'}), 4096 + 32 + 3);
            }
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(reader::read)
                        .isInstanceOf(DeviceException.class)
                        .hasMessageContaining("checksum of record 1");
            }
        }
    }

    @Test
    void foreignFileIsRefusedAndLeftAlone() throws IOException {
        Files.writeString(file, "x".repeat(10_000));
        assertThatThrownBy(() -> PlanMailbox.open(file, 1024)).hasMessageContaining("not a mailbox");
        assertThat(Files.readString(file)).isEqualTo("x".repeat(10_000));
    }

    @Test
    void othersCannotReadTheFile() throws IOException {
        PlanMailbox.open(file, 1024).close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .doesNotContain("r--r--r--")
                .endsWith("---");
    }

    @Test
    void writerAndReaderRunAtTheSameTime() throws Exception {
        int count = 50_000;
        try (PlanMailbox writer = PlanMailbox.open(file, 1024);
                PlanMailbox reader = PlanMailbox.open(file, 1024)) {
            Thread writing = new Thread(() -> {
                for (int i = 0; i < count; ) {
                    if (writer.write(i, record("command " + i))) {
                        i++;
                    } else {
                        Thread.onSpinWait();
                    }
                }
            });
            writing.start();
            for (int i = 0; i < count; ) {
                Optional<byte[]> next = reader.read();
                if (next.isPresent()) {
                    assertThat(next.get()).isEqualTo(record("command " + i));
                    i++;
                } else {
                    Thread.onSpinWait();
                }
            }
            writing.join(10_000);
            assertThat(writing.isAlive()).isFalse();
        }
    }
}
