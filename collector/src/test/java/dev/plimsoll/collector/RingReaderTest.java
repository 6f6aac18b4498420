package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RingReaderTest {
    private static final long SECOND = 1_000_000_000L;

    private final Map<Integer, FakeRing> there = new TreeMap<>();
    private final List<String> told = new ArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onRing(int rank, long incarnation) {
            told.add("ring " + rank);
        }

        @Override
        public void onTrouble(String what, Throwable cause) {
            told.add("trouble");
        }
    };
    private final RingReader reader = new RingReader(
            Snapshots.MEMBERS,
            new SampleAssembler(Snapshots.MEMBERS, "test", true, listener),
            () -> List.copyOf(there.keySet()),
            this::open,
            listener);

    @Test
    void lowestLivingRingIsReadAndTheNextOneAfterItsDeath() {
        FakeRing zero = ring(0, 7);
        FakeRing one = ring(1, 7);
        reader.lookForRings();
        zero.snapshots.add(Snapshots.at(1, 16));
        one.snapshots.add(Snapshots.at(1, 16));
        one.snapshots.add(Snapshots.at(2, 32));

        List<RingReader.Captured> first = reader.look(SECOND);
        one.heartbeat = 9 * SECOND;
        List<RingReader.Captured> second = reader.look(10 * SECOND);

        assertThat(told).containsExactly("ring 0", "ring 1");
        assertThat(first).extracting(c -> c.sample().steps()).containsExactly(new StepRange(0, 16));
        assertThat(second).extracting(c -> c.sample().steps()).containsExactly(new StepRange(16, 32));
    }

    @Test
    void ringOfADeadGroupIsReadToItsEnd() {
        FakeRing zero = ring(0, 7);
        reader.lookForRings();
        reader.look(SECOND);
        zero.closed = true;
        zero.snapshots.add(Snapshots.at(1, 16));

        assertThat(reader.look(100 * SECOND)).hasSize(1);
    }

    @Test
    void ringOfAnotherIncarnationOrHalfWrittenIsTriedAgainLater() {
        FakeRing old = ring(0, 6);
        FakeRing broken = ring(1, 7);
        broken.broken = true;
        reader.lookForRings();
        assertThat(old.wasClosed).isTrue();
        assertThat(reader.look(SECOND)).isEmpty();

        broken.broken = false;
        broken.snapshots.add(Snapshots.at(1, 16));
        reader.lookForRings();

        assertThat(reader.look(SECOND)).hasSize(1);
        assertThat(told).containsExactly("trouble", "ring 1");
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
