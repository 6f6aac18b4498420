package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
    private static final Duration SOON = Duration.ofSeconds(60);
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
        public void onUnpublished(Deployment deployment, long incarnation) {
            told.add("unpublished " + deployment + " " + incarnation);
        }

        @Override
        public void onStandingBy(Path standing) {
            told.add("standing by at " + standing);
        }

        @Override
        public void onNothingThere(Path place) {
            told.add("nothing in " + place);
        }

        @Override
        public void onIgnored(List<Path> rings) {
            told.add("ignored " + rings);
        }

        @Override
        public void onTrouble(String what, Throwable cause) {
            told.add("trouble " + what + ": " + cause.getMessage());
        }

        @Override
        public void onDropped(Dropped reason, long step, long load) {
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

    /** Without a worker nothing came, and nobody said why. */
    @Test
    void samplesThatWaitForAWorkerAreSpokenOf() throws Exception {
        try (Collector collector = started()) {
            String next = nextTold();
            while (next.startsWith("captured") || next.equals(Snapshots.MEMBERS.deployment() + " 7")) {
                next = nextTold();
            }
            assertThat(next).isEqualTo("unpublished " + Snapshots.MEMBERS.deployment() + " 7");
            assertThat(collector.drained()).isFalse();
        }
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
    void deploymentTooManyIsRefusedAndTheOthersAreServed() throws Exception {
        for (int i = 0; i < Collector.MOST_DEPLOYMENTS; i++) {
            Path more = Files.createDirectories(directory.resolve("more-" + i));
            new MembershipFile(more).write(Snapshots.members(2, 100 + i));
        }
        try (Collector collector = new Collector(
                KafkaSettings.of("127.0.0.1:1"), directory, "test", listener, (engines, rank, members) -> ring)) {
            collector.start();
            List<String> all = new ArrayList<>();
            await("the one too many").atMost(SOON).until(() -> {
                told.drainTo(all);
                return all.stream().anyMatch(text -> text.startsWith("trouble"));
            });
            // The newest life comes to a directory that is served.
            new MembershipFile(directory).write(Snapshots.members(2, 8));
            await("what came after it").atMost(SOON).until(() -> {
                told.drainTo(all);
                return all.contains("test/decode-0 8");
            });

            assertThat(all.stream().filter(text -> text.startsWith("trouble")))
                    .as("told once")
                    .hasSize(1)
                    .allMatch(text -> text.contains("more than 16 deployments")
                            && text.contains("is left out, the others are served"));
            assertThat(collector.healthy()).isTrue();
        }
    }

    @Test
    void secondCollectorOnADirectoryStandsByAndGoesOnWhereTheFirstEnded() throws Exception {
        new MembershipFile(directory).markPublished(7);
        Collector first = started();
        try (Collector second = new Collector(
                KafkaSettings.of("127.0.0.1:1"), directory, "test", listener, (engines, rank, members) -> ring)) {
            second.start();
            assertThat(nextTold()).isEqualTo("standing by at " + directory);
            first.close();
            List<String> all = new ArrayList<>();
            await("the second one").atMost(SOON).until(() -> {
                told.drainTo(all);
                return all.contains("test/decode-0 7");
            });
            ring.publish(Snapshots.at(9, 144));
            await("what comes next").atMost(SOON).until(() -> {
                told.drainTo(all);
                return all.contains("captured 144");
            });
            assertThat(all).as("told by the first already").doesNotContain("captured 16", "captured 32");
        }
    }

    @Test
    void emptyPlaceAndRingsThatNobodyReadsAreTold() throws Exception {
        Path place = directory.resolve("typo");
        try (Collector collector = new Collector(KafkaSettings.of("127.0.0.1:1"), place, "test", listener)) {
            collector.start();
            assertThat(nextTold()).isEqualTo("nothing in " + place);
            assertThat(place).as("not made: who would put anything there?").doesNotExist();
        }
        Path wrong = Files.createDirectories(directory.resolve("wrong"));
        ByteBuffer head =
                ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 0x474e49524d494c50L);
        Files.write(wrong.resolve("ring-0"), head.array());
        Files.write(wrong.resolve("notes"), new byte[8192]);
        try (Collector collector = new Collector(KafkaSettings.of("127.0.0.1:1"), wrong, "test", listener)) {
            collector.start();
            assertThat(nextTold()).isEqualTo("nothing in " + wrong);
            assertThat(nextTold()).isEqualTo("ignored [" + wrong.resolve("ring-0") + "]");
        }
    }

    @Test
    void samplesThatNoBrokerTakesAreSaidToBeDroppedSince() throws Exception {
        new MembershipFile(directory).markPublished(7);
        try (Collector collector = started()) {
            assertThat(collector.failingSince()).isEmpty();

            await("the delivery's timeout")
                    .atMost(SOON)
                    .until(() -> collector.failingSince().isPresent());

            assertThat(dropped).contains("WRITE_FAILED 16");
            assertThat(told)
                    .as("the cluster's contact tells that it is away")
                    .noneMatch(text -> text.startsWith("trouble"));
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
        String next = told.poll(30, TimeUnit.SECONDS);
        return next == null ? "nothing within 30 s" : next;
    }
}
