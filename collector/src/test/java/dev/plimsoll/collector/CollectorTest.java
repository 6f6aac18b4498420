package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A collector whose cluster is away. */
class CollectorTest {
    private static final long FAR_FUTURE = Long.MAX_VALUE;

    @TempDir
    Path directory;

    private final FakeRing ring = new FakeRing(7);
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final List<String> dropped = new CopyOnWriteArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onServing(Deployment deployment, long incarnation) {
            told.add(deployment + " " + incarnation);
        }

        @Override
        public void onCaptured(int samples, long step) {
            told.add("captured " + step);
        }

        @Override
        public void onDropped(Dropped reason, long step) {
            dropped.add(reason + " " + step);
        }
    };

    @BeforeEach
    void engineIsThere() throws IOException {
        new MembershipFile(directory).write(Snapshots.MEMBERS);
        Files.createFile(RankFiles.ring(directory, 0));
        ring.heartbeat = FAR_FUTURE;
        ring.snapshots.add(Snapshots.at(1, 16));
        ring.snapshots.add(Snapshots.at(2, 32));
    }

    @Test
    void closingIsBoundedWithKafkaAwayAndCountsWhatIsOnItsWay() throws Exception {
        new MembershipFile(directory).markPublished(7);
        Collector collector = started();

        long began = System.nanoTime();
        collector.close();

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(8));
        assertThat(dropped).containsExactlyInAnyOrder("CLOSED 16", "CLOSED 32");
        assertThat(collector.drained()).isTrue();
    }

    @Test
    void samplesOfAnIncarnationThatIsReplacedAreCounted() throws Exception {
        try (Collector collector = started()) {
            new MembershipFile(directory).write(Snapshots.members(2, 8));
            assertThat(nextTold()).isEqualTo("test/decode-0 8");

            assertThat(dropped).containsExactlyInAnyOrder("CLOSED 16", "CLOSED 32");
            assertThat(collector.drained()).isTrue();
        }
    }

    private Collector started() throws InterruptedException {
        Collector collector = new Collector(KafkaSettings.of("127.0.0.1:1"), directory, "test", listener, rank -> ring);
        assertThat(collector.drained()).isTrue();
        collector.start();
        assertThat(nextTold()).isEqualTo("test/decode-0 7");
        assertThat(nextTold()).isEqualTo("captured 16");
        assertThat(nextTold()).isEqualTo("captured 32");
        return collector;
    }

    private String nextTold() throws InterruptedException {
        String next = told.poll(5, TimeUnit.SECONDS);
        return next == null ? "nothing within 5 s" : next;
    }
}
