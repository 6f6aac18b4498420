package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Somebody cuts files short that an engine and its node have mapped: {@code : > rank-0.ring}, or a backup gone wrong. */
class CutRingTest {
    @TempDir
    Path directory;

    @Test
    void readerOfARingThatIsCutSaysSoAndIsNotKilled() throws IOException {
        try (Group group = new Group(directory, 2);
                HeatRing reader = HeatRing.open(group.members.get(0).file)) {
            boundaries(group, 16, 32);
            Group.readUntil(reader, 32);

            cut(group.members.get(0).file, 0);

            for (Runnable look : List.<Runnable>of(
                    reader::poll, reader::newest, reader::state, reader::closed, reader::heartbeatNanos)) {
                assertThatThrownBy(look::run).hasMessageContaining("was cut to 0 of");
            }
        }
    }

    @Test
    void engineWhoseRingIsCutGoesOnAndSoDoTheRingsOfTheOthers() throws IOException {
        try (Group group = new Group(directory, 2);
                HeatRing other = HeatRing.open(group.members.get(1).file)) {
            boundaries(group, 16, 32);
            Group.readUntil(other, 32);

            cut(group.members.get(0).file, 4096 + 100);
            group.members.get(0).ring.publish(state(32));
            HeatRing.Snapshot last = next(group, other, 48);
            cut(group.members.get(0).file, 0);
            for (long step = 64; step <= 160; step += Group.K) {
                last = next(group, other, step);
            }
            group.members.get(0).ring.publish(state(160));

            assertThat(last.gathered()).as("the group is as it was").isTrue();
            assertThat(last.valid()).containsExactly(true, true);
            assertThat(Files.size(group.members.get(0).file))
                    .as("nobody writes to it")
                    .isZero();
        }
    }

    @Test
    void segmentThatIsCutCostsTheGroupAndNoEngine() throws IOException {
        try (Group group = new Group(directory, 2);
                HeatRing reader = HeatRing.open(group.members.get(0).file)) {
            boundaries(group, 16, 32);
            Group.readUntil(reader, 32);

            cut(directory.resolve("segment"), 0);
            // The gather under way comes to nothing; after it each rank publishes its own.
            Optional<HeatRing.Snapshot> last = Optional.empty();
            long deadline = System.nanoTime() + Group.PATIENCE.toNanos();
            for (long step = 48; last.isEmpty() && System.nanoTime() < deadline; step += Group.K) {
                boundaries(group, step, step);
                LockSupport.parkNanos(2_000_000);
                last = reader.poll();
            }

            assertThat(last).isPresent();
            assertThat(last.get().gathered()).as("it goes on alone").isFalse();
            assertThat(last.get().valid()).containsExactly(true, false);
        }
    }

    @Test
    void mailboxThatIsCutIsBrokenForBothOfItsEnds() throws IOException {
        Path file = directory.resolve("mailbox");
        try (PlanMailbox mailbox = PlanMailbox.open(file, 4096)) {
            assertThat(mailbox.write(1, new byte[] {1, 2, 3})).isTrue();

            cut(file, 0);

            assertThatThrownBy(mailbox::read)
                    .isInstanceOf(DeviceException.class)
                    .hasMessageContaining("was cut short");
            assertThatThrownBy(() -> mailbox.write(2, new byte[] {4})).hasMessageContaining("was cut short");
            assertThatThrownBy(mailbox::lastPosition).hasMessageContaining("was cut short");
        }
    }

    /** Runs to the next boundary, and returns its snapshot. */
    private static HeatRing.Snapshot next(Group group, HeatRing reader, long step) {
        boundaries(group, step, step);
        long deadline = System.nanoTime() + Group.PATIENCE.toNanos();
        while (System.nanoTime() < deadline) {
            Optional<HeatRing.Snapshot> read = reader.poll();
            if (read.isPresent()) {
                return read.get();
            }
            Thread.onSpinWait();
        }
        throw new AssertionError("no snapshot of step " + step);
    }

    private static RankState state(long step) {
        return new RankState(Group.INCARNATION, 5, 0, RankPhase.SERVING, 0, 0, -1, false, 0, step);
    }

    private static void boundaries(Group group, long from, long to) {
        for (long step = from; step <= to; step += Group.K) {
            for (Group.Member member : group.members) {
                member.count(1);
                member.boundary(step, Group.idle());
            }
        }
    }

    private static void cut(Path file, long bytes) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(bytes);
        }
    }
}
