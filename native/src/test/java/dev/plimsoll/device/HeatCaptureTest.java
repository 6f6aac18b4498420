package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class HeatCaptureTest {
    private static final int STATE = -5;

    @TempDir
    Path directory;

    @Test
    void snapshotIsExactWhileCountersGrow() {
        int ranks = 8;
        int boundaries = 300;
        try (Group group = new Group(directory, ranks);
                HeatRing reader = HeatRing.open(directory.resolve("ring-3"))) {
            // Each boundary's counters are those of all kernels enqueued before it, and of none after it.
            long[] total = new long[ranks];
            long[][] atStep = new long[boundaries][ranks];
            int seen = 0;
            for (int b = 0; b < boundaries; b++) {
                for (Group.Member member : group.members) {
                    long amount = 1 + (b * 31L + member.rank * 7L) % 11;
                    member.count(amount);
                    total[member.rank] += amount;
                    atStep[b][member.rank] = total[member.rank];
                    member.boundary((long) b * Group.K, Group.idle());
                    member.count(1000);
                    total[member.rank] += 1000;
                }
                if (b < boundaries - 1) {
                    // The last one is waited for below, so it must not be taken here.
                    seen += check(reader, atStep);
                }
            }
            for (HeatRing.Snapshot snapshot : Group.readUntil(reader, (boundaries - 1L) * Group.K)) {
                checkOne(snapshot, atStep);
                seen++;
            }
            assertThat(seen).isPositive();
            HeatCapture.Stats stats = group.members.get(3).ring.stats();
            assertThat(stats.captured() + stats.skipped()).isEqualTo(boundaries);
            assertThat(stats.gathered()).isEqualTo(boundaries);
            assertThat(stats.timedOut()).isZero();
        }
    }

    private static int check(HeatRing reader, long[][] atStep) {
        int seen = 0;
        for (var next = reader.poll(); next.isPresent(); next = reader.poll()) {
            checkOne(next.get(), atStep);
            seen++;
        }
        return seen;
    }

    private static void checkOne(HeatRing.Snapshot snapshot, long[][] atStep) {
        long[] expected = atStep[(int) (snapshot.step() / Group.K)];
        for (int rank = 0; rank < expected.length; rank++) {
            long value = snapshot.valid()[rank] ? expected[rank] : 0;
            int cells = Group.LAYERS * Group.SLOTS;
            assertThat(Arrays.copyOfRange(snapshot.load(), rank * cells, (rank + 1) * cells))
                    .as("load of rank %d at step %d", rank, snapshot.step())
                    .containsOnly(value);
            assertThat(Arrays.copyOfRange(snapshot.routed(), rank * Group.LAYERS, (rank + 1) * Group.LAYERS))
                    .as("routed of rank %d at step %d", rank, snapshot.step())
                    .containsOnly(value * Group.SLOTS);
        }
    }

    @Test
    void verdictIsTheMinimumOfEqualVotes() {
        try (Group group = new Group(directory, 3)) {
            vote(group, 0, Group.voting(6, 1, 1, 9), Group.voting(6, 1, 2, 9), Group.voting(6, 1, 1, 9));
            assertThat(vote(group, 16, Group.voting(6, 1, 2, 9), Group.voting(6, 1, 2, 9), Group.voting(6, 1, 2, 9)))
                    .containsOnly(new Verdict(Verdict.Outcome.RESOLVED, 6, 1, 1));
            assertThat(vote(group, 32, Group.voting(6, 1, 1, 9), Group.voting(6, 1, 1, 9), Group.voting(6, 1, 0, 9)))
                    .containsOnly(new Verdict(Verdict.Outcome.RESOLVED, 6, 1, 2));
            assertThat(Arrays.copyOf(vote(group, 48, Group.idle(), Group.idle(), Group.idle()), 2))
                    .containsOnly(new Verdict(Verdict.Outcome.RESOLVED, 6, 1, 0));
        }
    }

    @Test
    void ranksThatDisagreeGetLevelZero() {
        try (Group group = new Group(directory, 2)) {
            Vote mine = Group.voting(6, 1, 2, 9);
            List<Vote> others = List.of(
                    Group.voting(6, 1, 2, 8),
                    Group.voting(7, 1, 2, 9),
                    Group.voting(6, 2, 2, 9),
                    new Vote(Group.INCARNATION + 1, 5, 0, 6, 1, 2, 9),
                    new Vote(Group.INCARNATION, 4, 0, 6, 1, 2, 9),
                    new Vote(Group.INCARNATION, 5, 1, 6, 1, 2, 9));
            long step = 0;
            vote(group, step, mine, others.get(0));
            for (int i = 1; i <= others.size(); i++) {
                step += Group.K;
                assertThat(vote(group, step, mine, others.get(i % others.size())))
                        .as("after a vote of %s", others.get(i - 1))
                        .containsOnly(new Verdict(Verdict.Outcome.RESOLVED, 0, 0, 0));
            }
        }
    }

    /** One boundary on all ranks; votes of level 1 and 2 make the next one wait, so all ranks end before any begins. */
    private static Verdict[] vote(Group group, long step, Vote... votes) {
        Verdict[] verdicts = new Verdict[votes.length];
        for (int rank = 0; rank < votes.length; rank++) {
            verdicts[rank] = group.members.get(rank).boundary(step, votes[rank]);
        }
        return verdicts;
    }

    @Test
    void idleRanksNeverWaitForAStalledMember() throws Exception {
        try (Group group = new Group(directory, 2)) {
            Group.Member running = group.members.get(0);
            Group.Member stalled = group.members.get(1);
            long slowest = 0;
            int boundaries = 40;
            for (int b = 0; b < boundaries; b++) {
                long start = System.nanoTime();
                Verdict verdict = running.boundary((long) b * Group.K, Group.idle());
                slowest = Math.max(slowest, System.nanoTime() - start);
                assertThat(verdict.outcome()).isEqualTo(b == 0 ? Verdict.Outcome.NONE : Verdict.Outcome.PENDING);
            }
            assertThat(Duration.ofNanos(slowest)).isLessThan(Duration.ofSeconds(2));
            // Three slots are in flight, all later boundaries are markers; a rank that catches up pairs with each.
            assertThat(running.ring.stats().captured()).isEqualTo(3);
            assertThat(running.ring.stats().skipped()).isEqualTo(boundaries - 3);
            try (HeatRing reader = HeatRing.open(running.file)) {
                for (int b = 0; b < boundaries; b++) {
                    stalled.boundary((long) b * Group.K, Group.idle());
                    HeatRing.Snapshot snapshot =
                            Group.readUntil(reader, (long) b * Group.K).get(0);
                    assertThat(snapshot.valid()[0]).as("boundary %d", b).isEqualTo(b < 3);
                    assertThat(snapshot.votes()[0]).isEqualTo(Group.idle());
                }
            }
        }
    }

    @Test
    void slotsThatNobodyLookedAtAreReclaimed() {
        try (Group group = new Group(directory, 2);
                HeatRing reader = HeatRing.open(directory.resolve("ring-0"))) {
            // Rank 0 begins before rank 1 has contributed, so each of its boundaries is pending when the next one
            // comes.
            for (int b = 0; b < 20; b++) {
                group.members.get(0).boundary((long) b * Group.K, Group.idle());
                if (b > 0) {
                    group.members.get(1).boundary((b - 1L) * Group.K, Group.idle());
                    Group.readUntil(reader, (b - 1L) * Group.K);
                }
            }
            group.members.get(1).boundary(19L * Group.K, Group.idle());
            Group.readUntil(reader, 19L * Group.K);
            assertThat(group.members.get(0).ring.stats().reclaimed()).isPositive();
            assertThat(group.members.get(0).ring.stats().gathered()).isEqualTo(20);
        }
    }

    @Test
    void aVoteWaitsForItsGatherAndTimesOutWithoutTheOthers() {
        try (Group group = new Group(directory, 1, 2, Duration.ofMillis(300))) {
            Group.Member alone = group.members.get(0);
            alone.boundary(0, Group.voting(6, 1, 1, 9));
            Verdict verdict = alone.boundary(16, Group.idle());
            assertThat(verdict.outcome()).isEqualTo(Verdict.Outcome.TIMED_OUT);
            assertThat(alone.ring.stats().timedOut()).isEqualTo(1);
            assertThat(alone.boundary(32, Group.idle()).outcome()).isEqualTo(Verdict.Outcome.FAILED);
        }
    }

    @Test
    void anIdleRankLearnsThatAMemberIsDead() {
        try (Group group = new Group(directory, 1, 2, Duration.ofMillis(100))) {
            Group.Member alone = group.members.get(0);
            Verdict.Outcome outcome = alone.boundary(0, Group.idle()).outcome();
            long deadline = System.nanoTime() + Group.PATIENCE.toNanos();
            for (long step = 16; outcome != Verdict.Outcome.FAILED && System.nanoTime() < deadline; step += 16) {
                outcome = alone.boundary(step, Group.idle()).outcome();
            }
            assertThat(outcome).isEqualTo(Verdict.Outcome.FAILED);
        }
    }

    @Test
    void abortEndsAWaitAtOnce() throws Exception {
        try (Group group = new Group(directory, 1, 2, Duration.ofSeconds(30))) {
            Group.Member alone = group.members.get(0);
            alone.boundary(0, Group.idle());
            alone.communicator.abort();
            long start = System.nanoTime();
            alone.ring.close();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
        }
    }

    @Test
    void aSecondThreadIsRefused() throws Exception {
        try (Group group = new Group(directory, 1)) {
            Group.Member member = group.members.get(0);
            member.boundary(0, Group.idle());
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread second = new Thread(() -> {
                try {
                    member.ring.begin(member.compute, 16, Group.PATIENCE);
                } catch (DeviceException e) {
                    thrown.set(e);
                }
            });
            second.start();
            second.join(10_000);
            assertThat(thrown.get())
                    .isInstanceOfSatisfying(
                            DeviceException.class, e -> assertThat(e.status()).isEqualTo(STATE))
                    .hasMessageContaining("dispatch thread");
        }
    }

    @Test
    void boundariesComeInOrderAndInPairs() {
        try (Group group = new Group(directory, 1)) {
            Group.Member member = group.members.get(0);
            assertThatThrownBy(() -> member.ring.end(Group.idle())).hasMessageContaining("no boundary is open");
            assertThatThrownBy(() -> member.ring.begin(member.compute, 7, Group.PATIENCE))
                    .hasMessageContaining("every 16 steps");
            member.boundary(16, Group.idle());
            assertThatThrownBy(() -> member.ring.begin(member.compute, 48, Group.PATIENCE))
                    .hasMessageContaining("the last was 16");
            member.ring.begin(member.compute, 32, Group.PATIENCE);
            assertThatThrownBy(() -> member.ring.begin(member.compute, 48, Group.PATIENCE))
                    .hasMessageContaining("not ended");
            member.ring.end(Group.idle());
        }
    }

    @Test
    void stagingFollowsTheComputeStream() throws Exception {
        try (Group group = new Group(directory, 1);
                HeatRing reader = HeatRing.open(directory.resolve("ring-0"))) {
            Group.Member member = group.members.get(0);
            CountDownLatch kernel = new CountDownLatch(1);
            member.compute.launch(() -> awaited(kernel));
            member.count(5);
            member.boundary(0, Group.idle());
            assertThat(reader.poll()).isEmpty();
            kernel.countDown();
            assertThat(Group.readUntil(reader, 0).get(0).load()).containsOnly(5);
        }
    }

    @Test
    void theRingOutlivesAClosedEngineForItsReaders() {
        HeatRing reader;
        try (Group group = new Group(directory, 1)) {
            reader = HeatRing.open(directory.resolve("ring-0"));
            assertThat(reader.header())
                    .isEqualTo(new HeatRing.Header(
                            "test/decode-0",
                            Group.INCARNATION,
                            0,
                            1,
                            Group.LAYERS,
                            Group.SLOTS,
                            Group.K,
                            0,
                            1,
                            HeatRing.Load.COMPUTED,
                            true,
                            ProcessHandle.current().pid(),
                            reader.header().startTicks()));
            assertThat(reader.header().startTicks()).isPositive();
            assertThat(reader.writerAlive()).isTrue();
            assertThat(reader.current()).isTrue();
            assertThat(reader.closed()).isFalse();
            RankState state = new RankState(77, 5, 6, RankPhase.WILLING, 1, -9, 2, true, 12, 640);
            group.members.get(0).ring.publish(state);
            assertThat(reader.state()).isEqualTo(state);
        }
        assertThat(reader.closed()).isTrue();
        reader.close();
    }

    @Test
    void aRingWithoutAFileIsHeardByItsListener() throws Exception {
        CountDownLatch heard = new CountDownLatch(3);
        try (Device device = Device.open("host");
                Stream compute = device.stream("compute");
                DeviceMemory counters = device.allocate(8);
                HeatCapture ring = HeatCapture.openAlone(
                        device,
                        new HeatCapture.Options(
                                Optional.empty(),
                                "test/no-file",
                                1,
                                0,
                                1,
                                1,
                                1,
                                16,
                                counters.address(),
                                counters.address()))) {
            ring.listen((step, outcome) -> heard.countDown());
            for (long step = 0; step < 48; step += 16) {
                ring.begin(compute, step, Group.PATIENCE);
                ring.end(Group.idle());
            }
            assertThat(heard.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(directory).isEmptyDirectory();
        }
    }

    @Test
    void theHeartbeatGoesOnWhileNothingHappens() {
        try (Group group = new Group(directory, 1);
                HeatRing reader = HeatRing.open(directory.resolve("ring-0"))) {
            long first = reader.heartbeatNanos();
            long deadline = System.nanoTime() + Group.PATIENCE.toNanos();
            while (reader.heartbeatNanos() == first && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            assertThat(reader.heartbeatNanos()).isGreaterThan(first);
            assertThat(Math.abs(System.currentTimeMillis() - reader.heartbeatNanos() / 1_000_000))
                    .isLessThan(10_000);
            assertThat(group.members).hasSize(1);
        }
    }

    private static void awaited(CountDownLatch latch) {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody opened the latch");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
