package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeWorkersTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir
    Path place;

    private final Map<Path, FakeTopics> topics = new ConcurrentHashMap<>();
    private final Map<Path, FakePort> ports = new ConcurrentHashMap<>();
    private final List<String> troubles = new CopyOnWriteArrayList<>();

    @Test
    void everyDeploymentInTheDirectoryOrBelowItIsServedAsItComes() throws Exception {
        Path first = engine("a");
        try (NodeWorkers workers = workers()) {
            workers.start();
            await().atMost(SOON).until(() -> published(first).equals(List.of("test/a 7")));

            Path second = engine("b");
            Path itself = engine("");

            await().atMost(SOON).until(() -> published(second).equals(List.of("test/b 7")));
            await().atMost(SOON).until(() -> published(itself).equals(List.of("test/itself 7")));
            assertThat(workers.directories()).containsExactly(itself, first, second);
            assertThat(workers.healthy()).isTrue();
        }
        assertThat(ports.values()).allMatch(port -> port.wasClosed);
    }

    @Test
    void whatIsNoMembershipIsToldOnceAndTheOthersAreServed() throws Exception {
        Files.writeString(Files.createDirectory(place.resolve("a")).resolve("membership.avro"), "nonsense");
        Path other = engine("b");
        try (NodeWorkers workers = workers()) {
            workers.start();
            await().atMost(SOON).until(() -> published(other).equals(List.of("test/b 7")));

            engine("c");
            await().atMost(SOON).until(() -> workers.directories().size() == 2);
        }
        assertThat(troubles).singleElement().asString().contains("a/membership.avro is not a membership");
    }

    @Test
    void aDeploymentWhoseDirectoryIsGoneIsLetGoAndTakenUpAgain() throws Exception {
        Path engine = engine("a");
        try (NodeWorkers workers = workers()) {
            workers.start();
            await().atMost(SOON).until(() -> published(engine).size() == 1);
            FakePort before = Objects.requireNonNull(ports.get(engine));

            remove(engine);
            await().atMost(SOON).until(() -> workers.directories().isEmpty());
            assertThat(before.wasClosed).isTrue();

            engine("a");
            await().atMost(SOON).until(() -> published(engine).equals(List.of("test/a 7")));
        }
    }

    @Test
    void moreThanACollectorServesAreLeftOutAndNamed() throws Exception {
        for (int i = 10; i < 11 + NodeWorkers.MOST_DEPLOYMENTS; i++) {
            engine("e" + i);
        }
        try (NodeWorkers workers = workers()) {
            workers.start();
            await().atMost(SOON).until(() -> !troubles.isEmpty());

            assertThat(workers.directories()).hasSize(NodeWorkers.MOST_DEPLOYMENTS);
            assertThat(troubles.get(0)).contains("more than 16 deployments", "e26");
        }
    }

    @Test
    void closingWaitsForTheLookThatHasBegunSoThatWhatItStartsIsClosed() throws Exception {
        Path engine = engine("a");
        CountDownLatch opening = new CountDownLatch(1);
        AtomicBoolean closing = new AtomicBoolean();
        NodeWorkers workers = workers(() -> {
            opening.countDown();
            await().atMost(SOON).untilTrue(closing);
        });
        workers.start();
        assertThat(opening.await(10, TimeUnit.SECONDS)).isTrue();

        Thread closer = new Thread(workers::close, "closer");
        closer.start();
        await().atMost(SOON).until(() -> closer.getState() == Thread.State.TIMED_WAITING);
        closing.set(true);
        closer.join(10_000);

        assertThat(closer.isAlive()).isFalse();
        assertThat(troubles).isEmpty();
        assertThat(workers.directories()).isEmpty();
        assertThat(Objects.requireNonNull(topics.get(engine)).wasClosed).isTrue();
    }

    private List<String> published(Path directory) {
        FakeTopics of = topics.get(directory);
        return of == null ? List.of() : of.published;
    }

    private NodeWorkers workers() {
        return workers(() -> {});
    }

    private NodeWorkers workers(Runnable opening) {
        return new NodeWorkers(
                place,
                () -> new WorkerListener() {
                    @Override
                    public void onTrouble(String what, Throwable cause) {
                        troubles.add(what + ": " + cause.getMessage());
                    }
                },
                (directory, deployment, listener) -> {
                    opening.run();
                    topics.put(directory, new FakeTopics());
                    ports.put(directory, new FakePort(0));
                    return new NodeWorker(
                            directory,
                            deployment,
                            listener,
                            d -> topics.get(directory),
                            (rank, members) -> ports.get(directory));
                });
    }

    /** A directory with a membership and the ring of rank 0; "": the place itself. */
    private Path engine(String name) throws IOException {
        Path directory = name.isEmpty() ? place : Files.createDirectories(place.resolve(name));
        Files.createFile(RankFiles.ring(directory, 0));
        new MembershipFile(directory)
                .write(new Membership(
                        new Deployment("test/" + (name.isEmpty() ? "itself" : name)),
                        Fixture.INCARNATION,
                        ModelShape.of("toy", 4, 1, 0, 1),
                        Topology.even(2, 1, 2),
                        "test",
                        Phase.ALL,
                        GatherMode.HOST,
                        1,
                        1,
                        1,
                        1));
        return directory;
    }

    private static void remove(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
