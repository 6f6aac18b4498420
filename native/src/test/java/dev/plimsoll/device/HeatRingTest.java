package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class HeatRingTest {
    @TempDir
    Path directory;

    @Test
    void aReaderThatFellBehindGoesOnWithTheOldestThatIsLeft() {
        try (Group group = new Group(directory, 1);
                HeatRing late = HeatRing.open(directory.resolve("ring-0"));
                HeatRing watching = HeatRing.open(directory.resolve("ring-0"))) {
            Group.Member member = group.members.get(0);
            for (int b = 0; b < 40; b++) {
                member.boundary((long) b * Group.K, Group.idle());
                Group.readUntil(watching, (long) b * Group.K);
            }
            List<HeatRing.Snapshot> read = Group.readUntil(late, 39L * Group.K);
            assertThat(read).hasSize(16);
            assertThat(read.get(0).sequence()).isEqualTo(25);
            assertThat(read.get(0).step()).isEqualTo(24 * Group.K);
            assertThat(late.poll()).isEmpty();
        }
    }

    @Test
    void noReaderSeesATornSnapshot() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        try (Group group = new Group(directory, 1);
                HeatRing reader = HeatRing.open(directory.resolve("ring-0"))) {
            Group.Member member = group.members.get(0);
            // All counters of a boundary are equal to each other, so a mixture of two boundaries shows.
            CompletableFuture<Integer> reading = CompletableFuture.supplyAsync(() -> {
                int seen = 0;
                long last = 0;
                while (!stop.get()) {
                    HeatRing.Snapshot snapshot = reader.poll().orElse(null);
                    if (snapshot != null) {
                        if (snapshot.valid()[0]) {
                            long expected = snapshot.step() / Group.K + 1;
                            assertThat(snapshot.load()).containsOnly(expected);
                            assertThat(snapshot.routed()).containsOnly(expected * Group.SLOTS);
                        }
                        assertThat(snapshot.sequence()).isGreaterThan(last);
                        last = snapshot.sequence();
                        seen++;
                    }
                    RankState state = reader.state();
                    assertThat(state.step()).isEqualTo(state.commandNumber());
                    assertThat(state.planHash()).isEqualTo(-state.step());
                }
                return seen;
            });
            int boundaries = 30_000;
            for (int b = 0; b < boundaries && !reading.isDone(); b++) {
                member.count(1);
                member.boundary((long) b * Group.K, Group.idle());
                member.ring.publish(new RankState(Group.INCARNATION, 5, 0, RankPhase.SERVING, 0, -b, -1, false, b, b));
            }
            stop.set(true);
            assertThat(reading.get(20, TimeUnit.SECONDS)).isPositive();
        }
    }

    @Test
    void everyRanksTimeStandsInItsOwnRingOnceAnybodySeesTheLoadOfAll() {
        try (Group group = new Group(directory, 2);
                HeatRing zero = HeatRing.open(directory.resolve("ring-0"));
                HeatRing one = HeatRing.open(directory.resolve("ring-1"))) {
            assertThat(zero.clock(0)).as("nothing was written").isEmpty();
            group.members.get(1).ring.clock(new StepClock(500, 20));
            group.members.forEach(member -> member.boundary(0, Group.idle()));
            group.members.get(0).ring.idle(Duration.ofDays(1));
            group.members.get(1).ring.clock(new StepClock(730, 21));
            group.members.forEach(member -> member.boundary(Group.K, Group.idle()));

            Group.readUntil(zero, Group.K);

            assertThat(zero.clock(0)).contains(new StepClock(0, 0));
            StepClock measured = zero.clock(Group.K).orElseThrow();
            assertThat(measured.busyNanos()).as("all of it was idle").isZero();
            assertThat(measured.idleNanos()).isPositive();
            assertThat(one.clock(0)).contains(new StepClock(500, 20));
            assertThat(one.clock(Group.K)).contains(new StepClock(730, 21));
            assertThat(one.clock(2 * Group.K)).as("not yet").isEmpty();
            assertThat(one.clock(32 * Group.K)).as("in the place of step 0").isEmpty();
        }
    }

    @Test
    void whatAFlipTookStandsInTheRingUntilManyHaveFollowed() {
        try (Group group = new Group(directory, 1);
                HeatRing ring = HeatRing.open(directory.resolve("ring-0"))) {
            HeatCapture capture = group.members.get(0).ring;
            assertThat(ring.flip(6, 1)).isEmpty();
            for (int batch = 1; batch <= 33; batch++) {
                capture.publish(6, batch, new FlipTimes(1_000L * batch, 20, 3));
            }

            assertThat(ring.flip(6, 2)).contains(new FlipTimes(2_000, 20, 3));
            assertThat(ring.flip(6, 33)).contains(new FlipTimes(33_000, 20, 3));
            assertThat(ring.flip(6, 1)).as("33 is in its place").isEmpty();
            assertThat(ring.flip(7, 2)).as("of another decision").isEmpty();
            assertThatThrownBy(() -> capture.publish(6, 0, new FlipTimes(1, 1, 1)))
                    .hasMessageContaining("batch 0");
        }
    }

    @Test
    void aRestartedEngineLeavesOldReadersTheirFile() throws IOException {
        HeatRing old;
        try (Group group = new Group(directory, 1)) {
            old = HeatRing.open(directory.resolve("ring-0"));
            group.members.get(0).boundary(0, Group.idle());
        }
        Files.delete(directory.resolve("segment"));
        try (Group group = new Group(directory, 1);
                HeatRing fresh = HeatRing.open(directory.resolve("ring-0"))) {
            assertThat(fresh.closed()).isFalse();
            assertThat(fresh.poll()).isEmpty();
            assertThat(group.members).hasSize(1);
        }
        assertThat(old.closed()).isTrue();
        assertThat(Arrays.stream(old.poll().orElseThrow().load()).sum()).isZero();
        old.close();
    }

    @Test
    void whatIsNoHeatRingIsNamed() throws IOException {
        Path file = directory.resolve("something");
        assertThatThrownBy(() -> HeatRing.open(file))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("something");
        Files.writeString(file, "z".repeat(5000));
        assertThatThrownBy(() -> HeatRing.open(file)).hasMessageContaining("no heat ring");
    }
}
