package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RingReaderTest {
    private static final long SECOND = 1_000_000_000L;

    private final Map<Integer, FakeRing> there = new TreeMap<>();
    private final List<String> told = new ArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onRing(Deployment deployment, int rank, long incarnation) {
            told.add("ring " + rank);
        }

        @Override
        public void onRingEnded(Deployment deployment, int rank, RingEnd end) {
            told.add("end " + rank + " " + end);
        }

        @Override
        public void onLeader(Deployment deployment, int rank) {
            told.add("leader " + rank);
        }

        @Override
        public void onMissed(long snapshots) {
            told.add("missed " + snapshots);
        }

        @Override
        public void onReset(int rank, long step) {
            told.add("reset " + rank + " at " + step);
        }

        @Override
        public void onTrouble(String what, Throwable cause) {
            told.add("trouble");
        }
    };
    private RingReader reader = reader();

    @Test
    void lowestLivingRingIsReadAndTheNextOneAfterItsDeath() {
        FakeRing zero = ring(0, 7);
        FakeRing one = ring(1, 7);
        reader.lookForRings(SECOND);
        zero.publish(Snapshots.at(1, 16));
        one.publish(Snapshots.at(1, 16));
        one.publish(Snapshots.at(2, 32));

        List<RingReader.Captured> first = reader.look(SECOND);
        one.heartbeat = 9 * SECOND;
        List<RingReader.Captured> second = reader.look(10 * SECOND);

        assertThat(told).containsExactly("ring 0", "ring 1", "leader 0", "leader 1");
        assertThat(steps(first)).containsExactly(new StepRange(0, 16));
        assertThat(steps(second)).containsExactly(new StepRange(16, 32));
    }

    @Test
    void ringThatEndedIsReadToItsEndAndThenLeftAlone() {
        FakeRing zero = ring(0, 7);
        FakeRing one = ring(1, 7);
        reader.lookForRings(SECOND);
        zero.publish(Snapshots.at(1, 16));
        one.publish(Snapshots.at(1, 16));
        zero.closed = true;
        one.publish(Snapshots.at(2, 32));
        one.writerAlive = false;
        reader.lookForRings(SECOND);
        assertThat(reader.finished()).isFalse();

        assertThat(steps(reader.look(100 * SECOND))).containsExactly(new StepRange(0, 16), new StepRange(16, 32));
        assertThat(reader.finished()).isTrue();
        assertThat(told).containsExactly("ring 0", "ring 1", "end 0 CLOSED", "end 1 PROCESS_DIED");
        reader.lookForRings(SECOND);
        assertThat(reader.look(100 * SECOND)).isEmpty();
        assertThat(told).hasSize(4);
    }

    @Test
    void ringOfAnotherIncarnationOrHalfWrittenIsTriedAgainLater() {
        FakeRing old = ring(0, 6);
        FakeRing broken = ring(1, 7);
        broken.broken = true;
        reader.lookForRings(SECOND);
        reader.lookForRings(SECOND);
        assertThat(old.wasClosed).isTrue();
        assertThat(reader.look(SECOND)).isEmpty();
        assertThat(reader.finished()).isFalse();
        assertThat(reader.unreadable()).as("a ring comes whole, by rename").containsExactly(1);

        broken.broken = false;
        broken.publish(Snapshots.at(1, 16));
        reader.lookForRings(2 * SECOND);

        assertThat(reader.look(SECOND)).hasSize(1);
        assertThat(told).containsExactly("trouble", "leader 1", "ring 1");
    }

    @Test
    void whatStepsTookStandsInEachRanksOwnRingThoughOneRingHasTheLoadOfAll() {
        List<FakeRing> rings = List.of(ring(0, 7), ring(1, 7), ring(2, 7));
        reader.lookForRings(SECOND);
        for (long step : new long[] {16, 32}) {
            for (int rank = 0; rank < 3; rank++) {
                rings.get(rank).clocks.put(step, new StepClock(step * (rank + 1), step * rank));
            }
            rings.get(0).publish(Snapshots.at(step / 16, step));
        }

        List<RingReader.Captured> captured = reader.look(SECOND);

        assertThat(captured).extracting(each -> each.sample().timed()).containsExactly(false, true);
        assertThat(captured.get(1).sample().elapsedNanos()).isEqualTo(LongVector.of(16, 32, 48));
        assertThat(captured.get(1).sample().idleNanos()).isEqualTo(LongVector.of(0, 16, 32));
    }

    @Test
    void ringThatCannotBeReadCostsItsRanksTimeAndNotTheLoadOfAll() {
        List<FakeRing> rings = List.of(ring(0, 7), ring(1, 7), ring(2, 7));
        reader.lookForRings(SECOND);
        rings.forEach(ring -> ring.clocks.put(16L, new StepClock(1, 0)));
        rings.forEach(ring -> ring.clocks.put(32L, new StepClock(2, 0)));
        rings.get(0).publish(Snapshots.at(1, 16));
        assertThat(reader.look(SECOND)).hasSize(1);
        rings.get(0).publish(Snapshots.at(2, 32));
        rings.get(2).unreadable = true;

        List<RingReader.Captured> captured = reader.look(SECOND);

        assertThat(captured).extracting(each -> each.sample().ranks()).containsExactly(2, 1);
        assertThat(captured).extracting(each -> each.sample().timed()).containsExactly(true, false);
    }

    @Test
    void ringThatCannotBeReadIsGivenUpAndTheOthersAreHandedOn() {
        FakeRing zero = ring(0, 7);
        FakeRing one = ring(1, 7);
        FakeRing two = ring(2, 7);
        reader.lookForRings(SECOND);
        zero.publish(Snapshots.narrow(1, 16, 0));
        one.publish(Snapshots.narrow(1, 16, 1));
        two.publish(Snapshots.narrow(1, 16, 2));
        one.unreadable = true;

        List<RingReader.Captured> captured = reader.look(SECOND);

        assertThat(captured).extracting(each -> each.sample().firstRank()).containsExactly(0, 2);
        assertThat(told).containsExactly("ring 0", "ring 1", "ring 2", "end 1 UNREADABLE", "trouble");
        assertThat(reader.unreadable()).containsExactly(1);
        one.unreadable = false;
        one.publish(Snapshots.narrow(2, 32, 1));
        reader.lookForRings(SECOND + SECOND / 2);
        assertThat(reader.look(SECOND)).as("not looked at again at once").isEmpty();

        reader.lookForRings(3 * SECOND);

        assertThat(steps(reader.look(3 * SECOND)))
                .as("what it counted meanwhile is not lost")
                .containsExactly(new StepRange(0, 16), new StepRange(16, 32));
        assertThat(reader.unreadable()).isEmpty();
        assertThat(told).last().isEqualTo("ring 1");
    }

    @Test
    void ringThatIsAloneAndCannotBeReadHasNotEnded() {
        FakeRing zero = ring(0, 7);
        reader.lookForRings(SECOND);
        zero.unreadable = true;
        zero.publish(Snapshots.narrow(1, 16, 0));

        assertThat(reader.look(SECOND)).isEmpty();
        assertThat(reader.finished()).as("it may go on").isFalse();

        // when its file is removed
        there.remove(0);
        reader.lookForRings(3 * SECOND);

        assertThat(reader.unreadable()).isEmpty();
        assertThat(reader.finished()).isTrue();
    }

    @Test
    void rankWhoseRingCannotBeReadIsToldFromTheGatherOfTheOthers() {
        FakeRing zero = ring(0, 7);
        FakeRing one = ring(1, 7);
        reader.lookForRings(SECOND);
        zero.publish(Snapshots.at(1, 16));
        zero.unreadable = true;
        one.publish(Snapshots.at(1, 16));
        zero.heartbeat = SECOND;
        one.heartbeat = SECOND;

        List<RingReader.Captured> captured = reader.look(SECOND);

        assertThat(captured).hasSize(1);
        assertThat(captured.get(0).sample().firstRank()).isZero();
        assertThat(captured.get(0).sample().ranks()).isEqualTo(2);
    }

    @Test
    void ringThatIsReplacedIsReadToItsEndBeforeTheNewOne() {
        FakeRing old = ring(0, 7);
        reader.lookForRings(SECOND);
        old.publish(Snapshots.narrow(1, 16, 0));
        reader.look(SECOND);
        old.publish(Snapshots.narrow(2, 32, 0));
        old.current = false;
        FakeRing fresh = ring(0, 7);
        fresh.writer = new Ring.Writer(200, 5);
        fresh.publish(Snapshots.narrow(1, 48, 0));
        fresh.publish(Snapshots.narrow(2, 64, 0));
        reader.lookForRings(SECOND);

        assertThat(steps(reader.look(2 * SECOND))).containsExactly(new StepRange(16, 32), new StepRange(48, 64));
        assertThat(told).containsExactly("ring 0", "ring 0", "end 0 REPLACED", "reset 0 at 48");
        assertThat(old.wasClosed).isTrue();
    }

    @Test
    void ringThatTheSameProcessMakesAnewGoesOnCounting() {
        FakeRing old = ring(0, 7);
        reader.lookForRings(SECOND);
        old.publish(Snapshots.narrow(1, 16, 0));
        reader.look(SECOND);
        old.current = false;
        FakeRing fresh = ring(0, 7);
        fresh.publish(Snapshots.narrow(1, 48, 0));
        reader.lookForRings(SECOND);

        assertThat(steps(reader.look(2 * SECOND))).containsExactly(new StepRange(16, 48));
        assertThat(told).doesNotContain("reset 0 at 48");
    }

    @Test
    void ringThatLostItsGroupGivesItsOwnRankBesideTheLeader() {
        FakeRing zero = ring(0, 7);
        FakeRing one = ring(1, 7);
        reader.lookForRings(SECOND);
        zero.publish(Snapshots.at(1, 16));
        one.publish(Snapshots.at(1, 16));
        reader.look(SECOND);
        zero.publish(Snapshots.alone(2, 32, 0));
        one.publish(Snapshots.alone(2, 32, 1));

        List<RingReader.Captured> alone = reader.look(SECOND);

        assertThat(alone).extracting(captured -> captured.sample().firstRank()).containsExactly(0, 1);
        assertThat(steps(alone)).containsOnly(new StepRange(16, 32));
    }

    @Test
    void snapshotsThatWereOverwrittenAreCountedAndCovered() {
        FakeRing zero = ring(0, 7);
        reader.lookForRings(SECOND);
        zero.publish(Snapshots.at(1, 16));
        reader.look(SECOND);
        zero.publish(Snapshots.at(4, 64));

        assertThat(steps(reader.look(SECOND))).containsExactly(new StepRange(16, 64));
        assertThat(told).contains("missed 2");
    }

    /** The reader looks once in 320 boundaries, and the ring has 16 slots: 95 of 100 snapshots are overwritten unread. */
    @Test
    void totalsAreExactForAReaderThatLooksNowAndThen() {
        FakeRing zero = ring(0, 7);
        ring(1, 7);
        ring(2, 7);
        reader.lookForRings(SECOND);
        long[] sum = new long[3];
        long seen = 0;
        int boundaries = 32_000;
        for (int i = 1; i <= boundaries; i++) {
            zero.publish(Snapshots.at(i, i * 16L));
            if (i % 320 == 0) {
                List<RingReader.Captured> captured = reader.look(SECOND);
                seen += captured.size();
                captured.forEach(each -> add(each.sample(), sum));
            }
        }
        assertThat(seen).isEqualTo(boundaries / 20);
        assertThat(sum).containsExactly(boundaries * 16L, boundaries * 32L, boundaries * 48L);
        assertThat(told).contains("missed 304");
    }

    private static void add(LoadSample sample, long[] sum) {
        for (int row = 0; row < sample.ranks(); row++) {
            sum[sample.firstRank() + row] += sample.load(row, 1, 0);
        }
    }

    /**
     * Whatever the gather mode, whoever falls out and when, however seldom the reader looks and in whichever order rings are lost
     * and marked: the samples of each rank join without gap or overlap, add up to what it had counted at their end, and reach to the
     * last snapshot of its own ring.
     */
    @Test
    void ringsMergeWithoutLossOrRepetition() {
        for (long seed = 0; seed < 1_000; seed++) {
            Random random = new Random(seed);
            there.clear();
            told.clear();
            reader = reader();
            Engines engines = new Engines(random);
            int pace = 1 + random.nextInt(40);
            for (int boundary = 1; boundary <= 60; boundary++) {
                engines.step(boundary);
                if (random.nextInt(pace) == 0) {
                    reader.lookForRings(SECOND);
                }
                if (random.nextInt(pace) == 0) {
                    engines.check(reader.look(engines.now), seed);
                }
            }
            there.values().forEach(ring -> ring.closed = true);
            reader.lookForRings(SECOND);
            engines.check(reader.look(engines.now), seed);
            engines.checkEnd(seed);
            assertThat(reader.finished()).as("seed %d", seed).isTrue();
            assertThat(told).as("seed %d", seed).noneMatch(text -> text.startsWith("reset"));
        }
    }

    /** Three ranks with counters that grow at random, in one group until it is lost. */
    private final class Engines {
        private final Random random;
        private final boolean gathers;
        private final int lostAt;
        private final int[] diesAt = new int[3];
        private final int[] comesAt = new int[3];
        private final long[] counted = new long[3];
        private final List<long[]> history = new ArrayList<>();
        private final long[] ownLast = new long[3];
        private final long[] end = new long[3];
        private final long[] sum = new long[3];
        private long now = SECOND;

        Engines(Random random) {
            this.random = random;
            gathers = random.nextInt(3) > 0;
            lostAt = gathers ? random.nextInt(80) : 0;
            for (int rank = 0; rank < 3; rank++) {
                diesAt[rank] = random.nextBoolean() ? 1 + random.nextInt(60) : Integer.MAX_VALUE;
                comesAt[rank] = gathers ? 1 : 1 + random.nextInt(20);
            }
            history.add(new long[3]);
        }

        void step(int boundary) {
            now += SECOND / 10;
            for (int rank = 0; rank < 3; rank++) {
                counted[rank] += random.nextInt(1_000);
            }
            history.add(counted.clone());
            boolean together =
                    gathers && boundary < lostAt && Arrays.stream(diesAt).allMatch(dies -> boundary < dies);
            boolean[] marked = new boolean[3];
            for (int rank = 0; rank < 3; rank++) {
                marked[rank] = random.nextInt(5) == 0;
            }
            for (int rank = 0; rank < 3; rank++) {
                if (boundary < comesAt[rank]) {
                    continue;
                }
                FakeRing ring = there.computeIfAbsent(rank, absent -> new FakeRing(7));
                if (boundary >= diesAt[rank]) {
                    ring.writerAlive = false;
                    continue;
                }
                ring.heartbeat = now;
                boolean published = random.nextInt(4) > 0; // else reclaimed, or timed out for this rank only
                if (!published || (!together && marked[rank])) {
                    continue;
                }
                ring.publish(snapshot(ring.published() + 1, boundary, together, rank, marked));
                if (!marked[rank]) {
                    ownLast[rank] = boundary * 16L;
                }
            }
        }

        private Snapshot snapshot(long sequence, int boundary, boolean together, int own, boolean[] marked) {
            int first = gathers ? 0 : own;
            int width = gathers ? 3 : 1;
            Vote[] votes = new Vote[width];
            boolean[] valid = new boolean[width];
            long[] load = new long[width * 4];
            for (int row = 0; row < width; row++) {
                int rank = first + row;
                votes[row] = Snapshots.vote(0, 0, 0);
                valid[row] = together ? !marked[rank] : rank == own;
                Arrays.fill(load, row * 4, row * 4 + 4, valid[row] ? counted[rank] : 0);
            }
            return new Snapshot(
                    sequence, boundary * 16L, together, first, votes, valid, load, new long[width * 2], now);
        }

        void check(List<RingReader.Captured> captured, long seed) {
            for (RingReader.Captured each : captured) {
                LoadSample sample = each.sample();
                add(sample, sum);
                for (int rank = sample.firstRank(); rank < sample.firstRank() + sample.ranks(); rank++) {
                    assertThat(sample.steps().from())
                            .as("seed %d rank %d", seed, rank)
                            .isEqualTo(end[rank]);
                    end[rank] = sample.steps().to();
                }
            }
        }

        void checkEnd(long seed) {
            for (int rank = 0; rank < 3; rank++) {
                assertThat(end[rank]).as("seed %d rank %d", seed, rank).isGreaterThanOrEqualTo(ownLast[rank]);
                assertThat(sum[rank])
                        .as("seed %d rank %d", seed, rank)
                        .isEqualTo(history.get((int) (end[rank] / 16))[rank]);
            }
        }
    }

    private static List<StepRange> steps(List<RingReader.Captured> captured) {
        return captured.stream().map(each -> each.sample().steps()).toList();
    }

    private RingReader reader() {
        return new RingReader(
                Snapshots.MEMBERS,
                new SampleAssembler(Snapshots.MEMBERS, "test", true, listener),
                () -> List.copyOf(there.keySet()),
                this::open,
                listener);
    }

    private FakeRing ring(int rank, long incarnation) {
        FakeRing ring = new FakeRing(incarnation);
        there.put(rank, ring);
        return ring;
    }

    private Ring open(int rank) {
        FakeRing ring = there.getOrDefault(rank, new FakeRing(0));
        if (ring.broken) {
            throw new IllegalStateException("too short");
        }
        return ring;
    }
}
