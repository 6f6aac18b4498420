package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class CommunicatorTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int TIMEOUT = -4;
    private static final int ABORTED = -7;

    @TempDir
    Path directory;

    private final Device device = Device.open("host");
    private Path segment;

    @BeforeEach
    void chooseSegment() {
        segment = directory.resolve("segment");
    }

    @AfterEach
    void closeDevice() {
        device.close();
    }

    private Communicator member(long group, int size, int rank) {
        return Communicator.open(device, segment, group, size, rank, 64, 0, PATIENCE);
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocateDirect(count).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void everyMemberGetsAllContributionsInOrderOfRank() throws Exception {
        try (Communicator first = member(1, 2, 0);
                Communicator second = member(1, 2, 1)) {
            CompletableFuture<Long> other = CompletableFuture.supplyAsync(() -> {
                ByteBuffer out = bytes(16);
                for (int round = 0; round < 100; round++) {
                    second.allGather(bytes(8).putLong(0, 1000 + round), out, PATIENCE);
                }
                return out.getLong(0);
            });
            ByteBuffer out = bytes(16);
            for (int round = 0; round < 100; round++) {
                first.allGather(bytes(8).putLong(0, round), out, PATIENCE);
                assertThat(out.getLong(0)).isEqualTo(round);
                assertThat(out.getLong(8)).isEqualTo(1000 + round);
            }
            assertThat(other.get(20, TimeUnit.SECONDS)).isEqualTo(99);
        }
    }

    @Test
    void aGatherWithoutAllMembersTimesOutAndNamesThem() {
        try (Communicator alone = member(1, 3, 1)) {
            assertThatThrownBy(() -> alone.allGather(bytes(8), bytes(24), Duration.ofMillis(50)))
                    .isInstanceOfSatisfying(
                            DeviceException.class, e -> assertThat(e.status()).isEqualTo(TIMEOUT))
                    .hasMessageContaining("2 of 3 members are missing: 0 2");
            assertThatThrownBy(() -> alone.allGather(bytes(8), bytes(24), PATIENCE))
                    .hasMessageContaining("no gather takes place any more");
        }
    }

    @Test
    void abortEndsAWaitingGather() throws Exception {
        try (Communicator alone = member(1, 2, 0)) {
            CompletableFuture<Throwable> waiting = CompletableFuture.supplyAsync(() -> {
                try {
                    alone.allGather(bytes(8), bytes(16), Duration.ofSeconds(30));
                    return new AssertionError("the gather went through");
                } catch (DeviceException e) {
                    return e;
                }
            });
            alone.abort();
            assertThat(waiting.get(10, TimeUnit.SECONDS))
                    .isInstanceOfSatisfying(
                            DeviceException.class, e -> assertThat(e.status()).isEqualTo(ABORTED));
        }
    }

    @Test
    void membersMustAgreeOnTheSizes() {
        try (Communicator first = member(1, 2, 0)) {
            assertThatThrownBy(() -> Communicator.open(device, segment, 1, 3, 1, 64, 0, PATIENCE))
                    .hasMessageContaining("2 members")
                    .hasMessageContaining("wants")
                    .hasMessageContaining("configure all members alike");
            assertThat(first).isNotNull();
        }
    }

    @Test
    void aSegmentOfAnotherGroupIsReplacedAndItsMembersKeepTheirs() throws Exception {
        try (Communicator oldFirst = member(1, 2, 0);
                Communicator newFirst = member(2, 2, 0);
                Communicator newSecond = member(2, 2, 1)) {
            CompletableFuture<Void> other =
                    CompletableFuture.runAsync(() -> newSecond.allGather(bytes(8), bytes(16), PATIENCE));
            newFirst.allGather(bytes(8), bytes(16), PATIENCE);
            other.get(20, TimeUnit.SECONDS);
            assertThatThrownBy(() -> oldFirst.allGather(bytes(8), bytes(16), Duration.ofMillis(20)))
                    .hasMessageContaining("missing: 1");
        }
    }

    @Test
    void aMemberJoinsAGroupOnlyOnce() {
        member(1, 2, 0).close();
        assertThatThrownBy(() -> member(1, 2, 0)).hasMessageContaining("a restart needs a new group");
    }

    @Test
    void aForeignFileIsRefusedAndLeftAlone() throws IOException {
        Files.writeString(segment, "y".repeat(9000));
        assertThatThrownBy(() -> member(1, 2, 0)).hasMessageContaining("not a segment");
        assertThat(Files.readString(segment)).isEqualTo("y".repeat(9000));
    }

    @Test
    void stagingMayBeLargerThanMemory() throws IOException {
        // The file is sparse: pages are taken when an exchange first uses them.
        long staging = 8L << 30;
        try (Communicator first = Communicator.open(device, segment, 1, 4, 0, 64, staging, PATIENCE)) {
            assertThat(Files.size(segment)).isGreaterThan(4 * staging);
            assertThat(first).isNotNull();
        }
    }

    @Test
    void aCommunicatorServesEitherARingOrItsCaller() {
        try (Group group = new Group(directory, 1)) {
            Communicator serving = group.members.get(0).communicator;
            assertThatThrownBy(() -> serving.allGather(bytes(8), bytes(8), PATIENCE))
                    .hasMessageContaining("serves a ring");
        }
    }
}
