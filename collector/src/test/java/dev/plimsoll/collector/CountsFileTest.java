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
    void whatAReleaseLeftThatKnewNothingOfTimeIsReadWithout() throws Exception {
        RankCounts untimed = new RankCounts(
                1,
                COUNTS.writer(),
                32,
                16,
                COUNTS.state(),
                Optional.empty(),
                Optional.empty(),
                COUNTS.load(),
                COUNTS.routed());
        CountsFile file = new CountsFile(directory, MEMBERS);
        file.write(new CountsFile.Kept(true, List.of(untimed)));
        Path path = directory.resolve("collector-" + MEMBERS.incarnation() + ".counts");
        byte[] bytes = Files.readAllBytes(path);
        int flag = 29 + Integer.BYTES + 4 * Long.BYTES + 3 * Integer.BYTES + 1; // whether a clock follows
        ByteBuffer before = ByteBuffer.allocate(bytes.length - 1)
                .put(bytes, 0, flag)
                .put(bytes, flag + 1, bytes.length - flag - 1 - Long.BYTES);
        before.putLong(0, 0x3130544e434d4c50L);
        CRC32 sum = new CRC32();
        sum.update(before.array(), 0, before.position());
        Files.write(path, before.putLong(sum.getValue()).array());

        assertThat(file.read().orElseThrow().ranks())
                .usingRecursiveFieldByFieldElementComparator()
                .containsExactly(untimed);
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
