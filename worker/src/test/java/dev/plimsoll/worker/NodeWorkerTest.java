package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.RankId;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeWorkerTest {
    @TempDir
    Path directory;

    private final FakeTopics topics = new FakeTopics();
    private final List<FakePort> ports = List.of(new FakePort(0), new FakePort(1), new FakePort(2));
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final Queue<String> troubles = new ConcurrentLinkedQueue<>();
    private final WorkerListener listener = new WorkerListener() {
        @Override
        public void onServing(Deployment deployment, long incarnation) {
            told.add("serving " + deployment + " " + incarnation);
        }

        @Override
        public void onRankFound(RankId rank, long incarnation) {
            told.add("found " + rank);
        }

        @Override
        public void onStandingBy(Path standing) {
            told.add("standing by at " + standing);
        }

        @Override
        public void onMembersPublished(long incarnation) {
            told.add("members " + incarnation);
        }
    };

    @BeforeEach
    void engineIsThere() throws IOException {
        new MembershipFile(directory).write(Fixture.MEMBERS);
        Files.createFile(RankFiles.ring(directory, 0));
        Files.createFile(RankFiles.ring(directory, 1));
    }

    @Test
    void membersIsPublishedByTheNodeOfRankZeroAndTold() throws Exception {
        try (NodeWorker worker = worker()) {
            worker.start();

            assertThat(nextTold()).isEqualTo("serving test/decode-0 7");
            assertThat(nextTold()).isEqualTo("found rank 0");
            assertThat(nextTold()).isEqualTo("found rank 1");
            assertThat(nextTold()).isEqualTo("members 7");
        }
        assertThat(topics.published).containsExactly("test/decode-0 7");
    }

    @Test
    void secondWorkerOnADirectoryStandsByAndTakesOver() throws Exception {
        NodeWorker first = worker();
        first.start();
        assertThat(nextTold()).isEqualTo("serving test/decode-0 7");
        assertThat(nextTold()).isEqualTo("found rank 0");
        assertThat(nextTold()).isEqualTo("found rank 1");
        assertThat(nextTold()).isEqualTo("members 7");
        try (NodeWorker second = worker()) {
            second.start();
            assertThat(nextTold()).isEqualTo("standing by at " + directory);

            first.close();

            assertThat(nextTold()).isEqualTo("serving test/decode-0 7");
        }
    }

    @Test
    void restartedWorkerTellsOnceOfTheMembersThatItsPredecessorPublished() throws Exception {
        new MembershipFile(directory).markPublished(Fixture.INCARNATION);
        try (NodeWorker worker = worker()) {
            worker.start();
            assertThat(nextTold()).isEqualTo("serving test/decode-0 7");
            assertThat(nextTold()).isEqualTo("found rank 0");
            assertThat(nextTold()).isEqualTo("found rank 1");
            assertThat(nextTold()).isEqualTo("members 7");

            Files.createFile(RankFiles.ring(directory, 2));
            assertThat(nextTold()).isEqualTo("found rank 2");
        }
        assertThat(told).isEmpty();
        assertThat(topics.published).isEmpty();
    }

    @Test
    void endThatStillWaitsForTheCollectorsIsWrittenAtClose() throws Exception {
        ports.forEach(port -> port.closedByEngine = true);
        NodeWorker worker = worker();
        worker.start();
        awaitMembers();

        worker.close();
        worker.close();

        assertThat(topics.ends).containsExactly(Fixture.INCARNATION);
        assertThat(ports.get(0).wasClosed).isTrue();
    }

    @Test
    void closingWritesNoEndWhileAnEngineRunsOrWhereACallerHasWrittenIt() throws Exception {
        ports.get(0).closedByEngine = true;
        try (NodeWorker worker = worker()) {
            worker.start();
            awaitMembers();
        }
        assertThat(topics.ends).isEmpty();

        ports.get(1).closedByEngine = true;
        try (NodeWorker worker = worker()) {
            worker.start();
            awaitMembers();
            assertThat(worker.end(Duration.ofSeconds(1))).isTrue();
            assertThat(worker.end(Duration.ofSeconds(1))).isFalse();
        }
        assertThat(topics.ends).containsExactly(Fixture.INCARNATION);
    }

    @Test
    void endThatTheBrokerDidNotTakeIsWrittenByTheNextWhoTries() throws Exception {
        ports.forEach(port -> port.closedByEngine = true);
        try (NodeWorker worker = worker()) {
            worker.start();
            awaitMembers();
            topics.brokerAway = true;
            assertThat(worker.end(Duration.ofMillis(50))).isFalse();
            topics.brokerAway = false;
        }
        assertThat(topics.ends).containsExactly(Fixture.INCARNATION);
    }

    @Test
    void closingIsBoundedWithKafkaAwayAndEndDue() throws Exception {
        ports.forEach(port -> port.closedByEngine = true);
        new MembershipFile(directory).markPublished(Fixture.INCARNATION);
        KafkaSettings nobody = KafkaSettings.of("127.0.0.1:1");
        NodeWorker worker = new NodeWorker(
                directory,
                Fixture.DEPLOYMENT,
                listener,
                deployment -> new WorkerTopics.OfCluster(nobody, deployment, what -> {}),
                (rank, members) -> ports.get(rank));
        worker.start();
        awaitMembers();

        long began = System.nanoTime();
        worker.close();

        assertThat(Duration.ofNanos(System.nanoTime() - began))
                .isBetween(Duration.ofMillis(900), Duration.ofSeconds(6));
    }

    @Test
    void closingWaitsForTheLookThatHasBegunSoThatTheFilesItOpensAreClosed() throws Exception {
        CountDownLatch serving = new CountDownLatch(1);
        AtomicBoolean closing = new AtomicBoolean();
        WorkerListener slow = new WorkerListener() {
            @Override
            public void onServing(Deployment deployment, long incarnation) {
                serving.countDown();
                await().atMost(Duration.ofSeconds(5)).untilTrue(closing);
            }

            @Override
            public void onTrouble(String what, Throwable cause) {
                troubles.add(what + ": " + cause.getMessage());
            }
        };
        NodeWorker worker = worker(slow);
        worker.start();
        assertThat(serving.await(5, TimeUnit.SECONDS)).isTrue();

        Thread closer = new Thread(worker::close, "closer");
        closer.start();
        await().atMost(Duration.ofSeconds(5)).until(() -> closer.getState() == Thread.State.TIMED_WAITING);
        closing.set(true);
        closer.join(10_000);

        assertThat(closer.isAlive()).isFalse();
        assertThat(troubles).isEmpty();
        assertThat(ports.subList(0, 2)).allMatch(port -> port.wasClosed);
    }

    private void awaitMembers() throws InterruptedException {
        assertThat(nextTold()).startsWith("serving");
        String next = nextTold();
        while (next.startsWith("found")) {
            next = nextTold();
        }
        assertThat(next).isEqualTo("members 7");
    }

    private String nextTold() throws InterruptedException {
        String next = told.poll(5, TimeUnit.SECONDS);
        return next == null ? "nothing within 5 s" : next;
    }

    private NodeWorker worker() {
        return worker(listener);
    }

    private NodeWorker worker(WorkerListener its) {
        return new NodeWorker(
                directory, Fixture.DEPLOYMENT, its, deployment -> topics, (rank, members) -> ports.get(rank));
    }
}
