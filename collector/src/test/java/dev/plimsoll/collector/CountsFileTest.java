package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CountsFileTest {
    private static final Membership MEMBERS = Snapshots.members(2);
    private static final RankCounts COUNTS = new RankCounts(
            1,
            new Ring.Writer(11, 22),
            32,
            16,
            PlacementState.settled(3),
            Optional.empty(),
            Optional.of(new StepClock(1_000, 7)),
            true,
            false,
            9,
            new long[] {1, 2, 3, 4},
            new long[0]);

    @TempDir
    Path directory;

    @Test
    void whatACollectorLeavesIsWhatItsSuccessorFinds() {
        new CountsFile(directory, MEMBERS).write(new CountsFile.Kept(true, List.of(COUNTS)));

        CountsFile.Kept found = new CountsFile(directory, MEMBERS).read().orElseThrow();

        assertThat(found.whole()).isTrue();
        assertThat(found.ranks()).usingRecursiveFieldByFieldElementComparator().containsExactly(COUNTS);
    }

    @Test
    void whatReleasesLeftThatKnewLessIsReadWithout() throws Exception {
        RankCounts untimed = new RankCounts(
                1,
                COUNTS.writer(),
                32,
                16,
                COUNTS.state(),
                Optional.empty(),
                Optional.empty(),
                false,
                false,
                0,
                COUNTS.load(),
                COUNTS.routed());
        CountsFile file = new CountsFile(directory, MEMBERS);
        file.write(new CountsFile.Kept(true, List.of(untimed)));
        Path path = directory.resolve("collector-" + MEMBERS.incarnation() + ".counts");
        byte[] bytes = Files.readAllBytes(path);
        int flag = 29 + Integer.BYTES + 4 * Long.BYTES + 3 * Integer.BYTES + 1; // whether a clock follows
        int later = 2 + Long.BYTES; // mixed, sent and resets
        byte[] computed = without(bytes, flag + 1, later, 0x3230544e434d4c50L);
        for (byte[] release : List.of(computed, without(computed, flag, 1, 0x3130544e434d4c50L))) {
            Files.write(path, release);

            assertThat(file.read().orElseThrow().ranks())
                    .usingRecursiveFieldByFieldElementComparator()
                    .containsExactly(untimed);
        }
    }

    private static byte[] without(byte[] bytes, int at, int count, long magic) {
        ByteBuffer before = ByteBuffer.allocate(bytes.length - count)
                .put(bytes, 0, at)
                .put(bytes, at + count, bytes.length - at - count - Long.BYTES);
        before.putLong(0, magic);
        CRC32 sum = new CRC32();
        sum.update(before.array(), 0, before.position());
        return before.putLong(sum.getValue()).array();
    }

    @Test
    void whatARankSentToAllIsKeptWhole() {
        RankCounts sent = new RankCounts(
                1,
                COUNTS.writer(),
                32,
                16,
                COUNTS.state(),
                Optional.of(PlacementState.settled(4)),
                Optional.empty(),
                false,
                true,
                0,
                LongStream.range(0, 4L * MEMBERS.topology().ranks()).toArray(),
                new long[] {5, 6});
        CountsFile file = new CountsFile(directory, MEMBERS);

        file.write(new CountsFile.Kept(false, List.of(sent, COUNTS)));

        assertThat(file.read().orElseThrow().ranks())
                .usingRecursiveFieldByFieldElementComparator()
                .containsExactly(sent, COUNTS);
    }

    @Test
    void whatIsSpoiledIsNoPlaceToGoOnFrom() {
        CountsFile file = new CountsFile(directory, MEMBERS);
        file.spoil();
        assertThat(file.read()).as("where nothing stood").isEmpty();
        file.write(new CountsFile.Kept(true, List.of(COUNTS)));

        file.spoil();

        assertThatThrownBy(file::read).isInstanceOf(IllegalStateException.class).hasMessageContaining("damaged");
        file.write(new CountsFile.Kept(true, List.of(COUNTS)));
        assertThat(file.read()).as("written again").isPresent();
    }

    @Test
    void theMarkOfTheFirstReleaseIsSeen() throws Exception {
        CountsFile file = new CountsFile(directory, MEMBERS);
        assertThat(file.servedByFirstRelease()).isFalse();

        Files.createFile(directory.resolve("collector-" + MEMBERS.incarnation() + ".started"));

        assertThat(file.servedByFirstRelease()).isTrue();
    }
}
