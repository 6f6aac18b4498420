package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RankFilesTest {
    @TempDir
    Path directory = Path.of("set by JUnit");

    @Test
    void ranksAreThoseWithARingInNumericOrder() throws IOException {
        for (int rank : new int[] {10, 2, 0}) {
            Files.createFile(RankFiles.ring(directory, rank));
            Files.createFile(RankFiles.mailbox(directory, rank));
        }
        Files.createFile(directory.resolve("rank-3.ring.tmp"));

        assertThat(RankFiles.ranks(directory)).containsExactly(0, 2, 10);
        assertThat(RankFiles.ranks(directory.resolve("absent"))).isEmpty();
    }

    @Test
    void publishedMarkSpeaksOfOneIncarnation() {
        MembershipFile file = new MembershipFile(directory);
        assertThat(file.published(7)).isFalse();

        file.markPublished(7);

        assertThat(file.published(7)).isTrue();
        assertThat(file.published(8)).isFalse();
        assertThat(file.published(77)).isFalse();
    }

    @Test
    void membershipThatIsNotThereYetIsEmpty() {
        assertThat(new MembershipFile(directory).read()).isEmpty();
    }

    @Test
    void deploymentsAreTheDirectoryAndItsDirectSubdirectoriesWithAMembership() throws IOException {
        Path one = Files.createDirectories(directory.resolve("one"));
        Path deeper = Files.createDirectories(directory.resolve("two").resolve("deeper"));
        Path elsewhere = Files.createDirectories(deeper.resolve("elsewhere"));
        Files.createSymbolicLink(directory.resolve("link"), elsewhere);
        for (Path each : new Path[] {one, deeper, elsewhere}) {
            Files.createFile(new MembershipFile(each).path());
        }

        assertThat(MembershipFile.directories(directory)).containsExactly(one);
        Files.createFile(new MembershipFile(directory).path());
        assertThat(MembershipFile.directories(directory)).containsExactly(directory, one);
        assertThat(MembershipFile.directories(directory.resolve("absent"))).isEmpty();
    }
}
