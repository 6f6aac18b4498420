package dev.plimsoll.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.plimsoll.aggregator.window.ClosedWindow;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.aggregator.window.Fold;
import dev.plimsoll.aggregator.window.FoldListener;
import dev.plimsoll.aggregator.window.WindowSettings;
import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.Device;
import dev.plimsoll.device.DeviceMemory;
import dev.plimsoll.device.HeatCapture;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Stream;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.kafka.Delivery;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Four ranks that gather over the library, their rings in the directories of two or four nodes, a collector on each, and the fold. */
class RealRingsTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int RANKS = 4;
    private static final int LAYERS = 2;
    private static final int SLOTS = 3;
    private static final int K = 16;

    @TempDir
    Path directory;

    private final Device device = Device.open("host");
    private final List<Rank> ranks = new ArrayList<>();
    private final List<LoadSample> sent = new CopyOnWriteArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private int nodeCount;
    private long step;

    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onDropped(Dropped reason, long at, long load) {
            told.add("dropped " + reason);
        }

        @Override
        public void onReset(int rank, long at) {
            told.add("reset " + rank);
        }

        @Override
        public void onRingEnded(Deployment deployment, int rank, RingEnd end) {
            if (end == RingEnd.UNREADABLE) {
                told.add("unreadable " + rank);
            }
        }
    };

    private final class Rank {
        final DeviceMemory load = keep(device.allocate(8L * LAYERS * SLOTS));
        final DeviceMemory routed = keep(device.allocate(8L * LAYERS));
        final Stream compute;
        final HeatCapture ring;
        private final int rank;
        long counted;

        Rank(int rank) {
            this.rank = rank;
            compute = keep(device.stream("compute-" + rank));
            Communicator communicator = keep(Communicator.open(
                    device,
                    directory.resolve("segment"),
                    1,
                    RANKS,
                    rank,
                    32 + 8L * LAYERS * (SLOTS + 1),
                    1 << 16,
                    Duration.ofSeconds(20)));
            ring = keep(HeatCapture.open(
                    device,
                    communicator,
                    new HeatCapture.Options(
                            Optional.of(RankFiles.ring(node(nodeOf(rank)), rank)),
                            "test/decode-0",
                            7,
                            rank,
                            RANKS,
                            LAYERS,
                            SLOTS,
                            K,
                            load.address(),
                            routed.address())));
        }

        void boundary(long amount) {
            LongBuffer loads = load.buffer().asLongBuffer();
            LongBuffer routes = routed.buffer().asLongBuffer();
            compute.launch(() -> {
                for (int i = 0; i < loads.capacity(); i++) {
                    loads.put(i, loads.get(i) + amount);
                }
                for (int i = 0; i < routes.capacity(); i++) {
                    routes.put(i, routes.get(i) + amount * SLOTS);
                }
            });
            counted += amount * LAYERS * SLOTS;
            ring.clock(new StepClock(step * nanosOfStep(rank), step));
            ring.begin(compute, step, SOON);
            ring.end(Vote.none(7, 0));
        }
    }

    /** What a collector does for one directory, without a broker. */
    private final class Node {
        private final Scheduler scheduler = Schedulers.newSingle("test-collector", true);
        private final ServedDirectory served;
        private final Disposable looking;

        Node(int node) {
            served = new ServedDirectory(
                    node(node),
                    "node-" + node,
                    listener,
                    (engines, rank, members) -> Ring.open(RankFiles.ring(engines, rank), members),
                    scheduler,
                    sample -> Mono.fromCallable(() -> {
                        synchronized (sent) {
                            sent.add(sample);
                            return (long) sent.size();
                        }
                    }),
                    new Delivery(InstantSource.system()));
            looking = Flux.interval(Duration.ZERO, Duration.ofMillis(10), scheduler)
                    .onBackpressureDrop()
                    .subscribe(tick -> served.look(members -> Optional.empty()), e -> {
                        e.printStackTrace();
                        told.add("node " + node + ": " + e);
                    });
        }

        /** Stops with nothing under way, and says no good-bye. */
        void stop() {
            await("what is under way").atMost(SOON).until(served::drained);
            looking.dispose();
            Mono.<Void>fromRunnable(served::close).subscribeOn(scheduler).block(SOON);
            scheduler.dispose();
        }
    }

    @BeforeEach
    void clear() {
        sent.clear();
    }

    @AfterEach
    void closeAll() throws Exception {
        ranks.forEach(rank -> rank.compute.synchronize(SOON));
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
        device.close();
    }

    @Test
    void twoNodesWithALateStartAndARestartTellEverythingOnce() throws Exception {
        lateStartAndRestart(2);
    }

    @Test
    void fourNodesWithALateStartAndARestartTellEverythingOnce() throws Exception {
        lateStartAndRestart(4);
    }

    private void lateStartAndRestart(int count) throws Exception {
        engines(count);
        List<Node> nodes = new ArrayList<>();
        for (int node = 0; node < count - 1; node++) {
            nodes.add(new Node(node));
        }
        run(6);
        nodes.add(new Node(count - 1)); // late, within the ring's reach
        run(4);
        nodes.get(0).stop();
        run(20); // more than the ring holds
        nodes.set(0, new Node(0));
        run(6);
        Outcome outcome = finish(nodes);

        assertThat(told).isEmpty();
        assertThat(outcome.cells.keySet()).isSubsetOf(Fate.ACCEPTED, Fate.UNATTRIBUTED);
        assertThat(outcome.cells.getOrDefault(Fate.UNATTRIBUTED, 0L))
                .as("of pauses over the end of a window")
                .isEqualTo(sent.stream()
                        .filter(sample -> spansABorder(sample.steps()))
                        .mapToLong(LoadSample::ranks)
                        .sum());
        assertThat(outcome.accepted + outcome.unattributed)
                .isEqualTo(ranks.stream().mapToLong(rank -> rank.counted).sum());
        assertThat(outcome.windows)
                .allSatisfy(window ->
                        assertThat(window.summary().conservation().violated()).isFalse());
        assertThat(sent).allSatisfy(RealRingsTest::requireTimeOfItsSteps);
    }

    /** Whatever was missed, and whoever read it: time is that of the steps, but for the first ones, of which nobody knows when they began. */
    private static void requireTimeOfItsSteps(LoadSample sample) {
        assertThat(sample.timed()).isEqualTo(sample.steps().from() > 0);
        for (int i = 0; i < sample.ranks() && sample.timed(); i++) {
            long nanos = sample.steps().length() * nanosOfStep(sample.firstRank() + i);
            assertThat(sample.elapsedNanos().at(i)).isEqualTo(nanos);
            assertThat(sample.idleNanos().at(i)).isEqualTo(sample.steps().length());
        }
    }

    private static long nanosOfStep(int rank) {
        return 1_000_000L + rank;
    }

    @Test
    void collectorThatIsDeadForGoodCostsItsOwnNodeOnly() throws Exception {
        engines(2);
        List<Node> nodes = new ArrayList<>(List.of(new Node(0), new Node(1)));
        run(8);
        runUntilAllIsTold(nodes);
        nodes.remove(1).stop();
        long dead = told(2) + told(3);
        run(12);
        Outcome outcome = finish(nodes);

        assertThat(outcome.cells).containsOnlyKeys(Fate.ACCEPTED);
        assertThat(outcome.accepted).isEqualTo(ranks.get(0).counted + ranks.get(1).counted + dead);
    }

    @Test
    void ringThatIsCutShortCostsNobodyAnythingAndIsSaid() throws Exception {
        engines(2);
        List<Node> nodes = List.of(new Node(0), new Node(1));
        run(4);
        runUntilAllIsTold(nodes);
        // The ring of the rank that leads on node 0.
        try (RandomAccessFile cut =
                new RandomAccessFile(RankFiles.ring(node(0), 0).toFile(), "rw")) {
            cut.setLength(0);
        }
        run(8);

        await("that it is said")
                .atMost(SOON)
                .until(() -> nodes.get(0).served.unreadable().equals(List.of(0)));
        assertThat(nodes.get(1).served.unreadable()).isEmpty();
        assertThat(nodes.get(0).served.flowing()).isTrue();
        Outcome outcome = finish(nodes);

        assertThat(told).containsExactly("unreadable 0");
        assertThat(outcome.cells).containsOnlyKeys(Fate.ACCEPTED);
        assertThat(outcome.accepted)
                .as("rank 0 too, from the gather that rank 1 publishes")
                .isEqualTo(ranks.stream().mapToLong(rank -> rank.counted).sum());
    }

    private void engines(int count) throws IOException {
        nodeCount = count;
        Membership members = members();
        for (int node = 0; node < count; node++) {
            Files.createDirectories(node(node));
            new MembershipFile(node(node)).write(members);
            new MembershipFile(node(node)).markPublished(7);
        }
        for (int rank = 0; rank < RANKS; rank++) {
            ranks.add(new Rank(rank));
        }
    }

    private void run(int boundaries) {
        for (int i = 0; i < boundaries; i++) {
            step += K;
            for (int rank = 0; rank < RANKS; rank++) {
                ranks.get(rank).boundary(1 + (step / K * 7 + rank) % 5);
            }
            LockSupport.parkNanos(4_000_000);
        }
    }

    /** Waits until the collectors have all that was counted, and folds what they sent. */
    private Outcome finish(List<Node> nodes) {
        runUntilAllIsTold(nodes);
        nodes.forEach(Node::stop);
        return new Outcome(members(), List.copyOf(sent));
    }

    private void runUntilAllIsTold(List<Node> nodes) {
        // A boundary without a slot gathers no heat; the next one has it. On this thread, for it is the dispatch
        // thread.
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!nodes.stream().allMatch(this::hasAll) && System.nanoTime() < deadline) {
            step += K;
            ranks.forEach(rank -> rank.boundary(0));
            LockSupport.parkNanos(20_000_000);
        }
        assertThat(nodes).allMatch(this::hasAll);
    }

    private static boolean spansABorder(StepRange steps) {
        return steps.from() / (16 * K) != (steps.to() - 1) / (16 * K);
    }

    private boolean hasAll(Node node) {
        return RankFiles.ranks(node.served.path()).stream().allMatch(rank -> told(rank) == ranks.get(rank).counted);
    }

    private long told(int rank) {
        return sent.stream()
                .filter(sample -> rank >= sample.firstRank() && rank < sample.firstRank() + sample.ranks())
                .mapToLong(sample -> {
                    long sum = 0;
                    for (int cell = 0; cell < LAYERS * SLOTS; cell++) {
                        sum += sample.load(rank - sample.firstRank(), cell / SLOTS, cell % SLOTS);
                    }
                    return sum;
                })
                .sum();
    }

    private Membership members() {
        return new Membership(
                new Deployment("test/decode-0"),
                7,
                ModelShape.of("tiny", 4, 1, 0, LAYERS),
                Topology.even(RANKS, nodeCount, SLOTS),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                K,
                16 * K,
                64,
                128);
    }

    private int nodeOf(int rank) {
        return rank * nodeCount / RANKS;
    }

    private Path node(int node) {
        return directory.resolve("node-" + node);
    }

    private <T extends AutoCloseable> T keep(T resource) {
        opened.push(resource);
        return resource;
    }

    /** What the fold makes of samples. */
    private static final class Outcome {
        final Map<Fate, Long> cells = new EnumMap<>(Fate.class);
        final List<ClosedWindow> windows = new ArrayList<>();
        long accepted;
        long unattributed;

        Outcome(Membership members, List<LoadSample> samples) {
            Fold fold = Fold.empty(0, WindowSettings.DEFAULT, new FoldListener() {
                @Override
                public void fate(Deployment deployment, Fate fate, long count, long load) {
                    cells.merge(fate, count, Long::sum);
                    unattributed += fate == Fate.UNATTRIBUTED ? load : 0;
                }
            });
            List<SampleRecord> log = new ArrayList<>(List.of(members));
            log.addAll(samples);
            log.add(new End(members.deployment(), members.incarnation()));
            for (int offset = 0; offset < log.size(); offset++) {
                fold.fold(offset, offset, log.get(offset)).ifPresent(closed -> windows.addAll(closed.windows()));
            }
            accepted = windows.stream()
                    .mapToLong(window -> window.summary().accepted())
                    .sum();
        }
    }
}
