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
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A collector whose cluster is away. */
class CollectorTest {
    private static final long FAR_FUTURE = Long.MAX_VALUE;

    @TempDir
    Path directory;

    private final FakeRing ring = new FakeRing(7);
    private final AtomicInteger opened = new AtomicInteger();
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final List<String> dropped = new CopyOnWriteArrayList<>();
    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onServing(Deployment deployment, long incarnation) {
            told.add(deployment + " " + incarnation);
        }

        @Override
        public void onCaptured(Deployment deployment, int samples, long step) {
            told.add("captured " + step);
        }

        @Override
        public void onFinished(Deployment deployment, long incarnation) {
            told.add("finished " + incarnation);
        }

        @Override
        public void onRing(Deployment deployment, int rank, long incarnation) {
            if (opened.incrementAndGet() == 3) {
                told.add("reopened " + incarnation);
            }
        }

        @Override
        public void onTrouble(String what, Throwable cause) {
            told.add("trouble " + what + ": " + cause.getMessage());
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
        ring.publish(Snapshots.at(1, 16));
        ring.publish(Snapshots.at(2, 32));
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

    @Test
    void deploymentsInSubdirectoriesComeAndGoWhileItRuns() throws Exception {
        FakeRing other = new FakeRing(9);
        other.heartbeat = FAR_FUTURE;
        Path second = directory.resolve("second");
        Map<Path, FakeRing> rings = Map.of(directory, ring, second, other);
        try (Collector collector = new Collector(
                KafkaSettings.of("127.0.0.1:1"),
                directory,
                "test",
                listener,
                (engines, rank, members) -> rings.getOrDefault(engines, other))) {
            collector.start();
            assertThat(nextTold()).isEqualTo("test/decode-0 7");
            assertThat(nextTold()).isEqualTo("captured 16");
            assertThat(nextTold()).isEqualTo("captured 32");

            Files.createDirectories(second);
            Files.createFile(RankFiles.ring(second, 0));
            new MembershipFile(second).write(Snapshots.members(2, 9));
            assertThat(nextTold()).isEqualTo("test/decode-0 9");

            other.writerAlive = false; // it never published, so nothing is on its way
            assertThat(nextTold()).isEqualTo("finished 9");

            other.writerAlive = true;
            other.current = false;
            assertThat(nextTold()).isEqualTo("reopened 9");
        }
    }

    @Test
    void oneLifeOfADeploymentInTwoDirectoriesIsServedOnce() throws Exception {
        Path second = directory.resolve("second");
        Files.createDirectories(second);
        new MembershipFile(second).write(Snapshots.MEMBERS);
        try (Collector collector = new Collector(
                KafkaSettings.of("127.0.0.1:1"), directory, "test", listener, (engines, rank, members) -> ring)) {
            collector.start();

            assertThat(List.of(nextTold(), nextTold(), nextTold(), nextTold()))
                    .contains("test/decode-0 7", "captured 16", "captured 32")
                    .anyMatch(text -> text.startsWith("trouble") && text.contains("is served from " + directory));
        }
    }

    private Collector started() throws InterruptedException {
        Collector collector = new Collector(
                KafkaSettings.of("127.0.0.1:1"), directory, "test", listener, (engines, rank, members) -> ring);
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
