package dev.plimsoll.collector;

import dev.plimsoll.aggregator.window.ClosedWindow;
import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.aggregator.window.Fold;
import dev.plimsoll.aggregator.window.FoldListener;
import dev.plimsoll.aggregator.window.WindowSettings;
import dev.plimsoll.device.HeatRing.Snapshot;
import dev.plimsoll.device.Vote;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.Topology;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A deployment over several nodes that gathers, a collector on each, and the fold over what they send: four ranks of two slots and two
 * layers whose routers and slots count at random, a boundary every 16 steps and four of them in a window.
 */
final class Nodes {
    static final int RANKS = 4;
    static final int LAYERS = 2;
    static final int SLOTS = 2;
    static final int K = 16;
    static final long SECOND = 1_000_000_000L;

    final Map<Fate, Long> cells = new EnumMap<>(Fate.class);
    final Map<Fate, Long> load = new EnumMap<>(Fate.class);
    final List<ClosedWindow> windows = new ArrayList<>();
    final List<LoadSample> samples = new ArrayList<>();
    final List<String> told = new ArrayList<>();

    private final Random random;
    private final Membership members;
    private final Node[] nodes;
    private final FakeRing[] rings = new FakeRing[RANKS];
    private final long[][] counted = new long[RANKS][LAYERS * SLOTS];
    private final long[][] routed = new long[RANKS][LAYERS];
    private final Fold fold;
    private long offset;
    private long boundary;
    private long now = SECOND;

    /** A collector of the ranks of its node, which may be away. */
    private final class Node {
        final List<Integer> ranks;
        Optional<RingReader> reader = Optional.empty();
        List<RankCounts> kept = List.of();

        Node(List<Integer> ranks) {
            this.ranks = ranks;
        }

        void start() {
            ranks.forEach(rank -> rings[rank].rewind());
            RingReader fresh = new RingReader(
                    members,
                    new SampleAssembler(members, "node of " + ranks, true, listener),
                    () -> ranks,
                    rank -> rings[rank],
                    listener);
            fresh.restore(kept);
            reader = Optional.of(fresh);
        }

        void look() {
            reader.ifPresent(open -> {
                open.lookForRings(now);
                List<RingReader.Captured> captured = open.look(now);
                open.moved().ifPresent(moved -> kept = moved);
                captured.forEach(each -> {
                    samples.add(each.sample());
                    feed(each.sample());
                });
            });
        }
    }

    private final CollectorListener listener = new CollectorListener() {
        @Override
        public void onReset(int rank, long step) {
            told.add("reset " + rank + " at " + step);
        }

        @Override
        public void onTrouble(String what, Throwable cause) {
            told.add(what + ": " + cause);
        }
    };

    Nodes(int nodeCount, Random random) {
        this.random = random;
        members = new Membership(
                new Deployment("test/decode-0"),
                7,
                ModelShape.of("tiny", 4, 1, 0, LAYERS),
                Topology.even(RANKS, nodeCount, SLOTS),
                "test",
                Phase.DECODE,
                GatherMode.HOST,
                K,
                4 * K,
                64,
                128);
        fold = new Fold(Fold.nothing(0), WindowSettings.DEFAULT, new FoldListener() {
            @Override
            public void fate(Deployment deployment, Fate fate, long count, long sum) {
                cells.merge(fate, count, Long::sum);
                load.merge(fate, sum, Long::sum);
            }
        });
        nodes = new Node[nodeCount];
        int each = RANKS / nodeCount;
        for (int node = 0; node < nodeCount; node++) {
            nodes[node] = new Node(
                    IntStream.range(node * each, (node + 1) * each).boxed().toList());
        }
        for (int rank = 0; rank < RANKS; rank++) {
            rings[rank] = new FakeRing(7);
        }
        feed(members);
    }

    void start(int node) {
        nodes[node].start();
    }

    void startAll() {
        for (int node = 0; node < nodes.length; node++) {
            start(node);
        }
    }

    /** As {@code kill -9}: nothing is left but what it kept. */
    void kill(int node) {
        nodes[node].reader = Optional.empty();
    }

    /** The ranks run to the next boundary; the collectors that are there look, in any order. */
    void step() {
        boundary++;
        now += SECOND / 20;
        count();
        Snapshot gathered = gathered();
        for (FakeRing ring : rings) {
            ring.heartbeat = now;
            ring.publish(new Snapshot(
                    ring.published() + 1,
                    gathered.step(),
                    true,
                    0,
                    gathered.votes(),
                    gathered.valid(),
                    gathered.load(),
                    gathered.routed(),
                    now));
        }
        List<Node> order = new ArrayList<>(List.of(nodes));
        Collections.shuffle(order, random);
        order.forEach(Node::look);
    }

    void step(int times) {
        for (int i = 0; i < times; i++) {
            step();
        }
    }

    /** The engines close their rings, what is left is read, and the incarnation ends. */
    void end() {
        for (FakeRing ring : rings) {
            ring.closed = true;
        }
        for (Node node : nodes) {
            node.look();
        }
        feed(new End(members.deployment(), members.incarnation()));
    }

    /** Of all ranks, as of the last boundary. */
    long computed() {
        return IntStream.range(0, RANKS).mapToLong(this::computed).sum();
    }

    long computed(int rank) {
        return IntStream.range(0, LAYERS * SLOTS)
                .mapToLong(i -> counted[rank][i])
                .sum();
    }

    long inWindows() {
        return windows.stream().mapToLong(window -> window.summary().accepted()).sum();
    }

    long cells(Fate fate) {
        return cells.getOrDefault(fate, 0L);
    }

    long load(Fate fate) {
        return load.getOrDefault(fate, 0L);
    }

    List<CloseReason> reasons() {
        return windows.stream().map(window -> window.summary().reason()).toList();
    }

    /** Why the sums are not what they must be when no collector is away at the end; empty when they are. */
    Optional<String> lostOrTwice() {
        long expected = computed();
        long told = inWindows() + load(Fate.UNATTRIBUTED);
        for (Fate fate : Fate.values()) {
            if (fate != Fate.ACCEPTED && fate != Fate.UNATTRIBUTED && cells(fate) > 0) {
                return Optional.of(cells(fate) + " cells " + fate);
            }
        }
        return told == expected
                ? Optional.empty()
                : Optional.of(told + " in windows and unattributed, " + expected + " computed");
    }

    /** Each router sends its tokens to slots of any rank, so that only the sum over all ranks is equal. */
    private void count() {
        for (int rank = 0; rank < RANKS; rank++) {
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int i = random.nextInt(100); i > 0; i--) {
                    int tokens = random.nextInt(50);
                    routed[rank][layer] += tokens;
                    counted[random.nextInt(RANKS)][layer * SLOTS + random.nextInt(SLOTS)] += tokens;
                }
            }
        }
    }

    private Snapshot gathered() {
        Vote[] votes = new Vote[RANKS];
        boolean[] valid = new boolean[RANKS];
        long[] load = new long[RANKS * LAYERS * SLOTS];
        long[] sent = new long[RANKS * LAYERS];
        for (int rank = 0; rank < RANKS; rank++) {
            votes[rank] = Snapshots.vote(0, 0, 0);
            valid[rank] = true;
            System.arraycopy(counted[rank], 0, load, rank * LAYERS * SLOTS, LAYERS * SLOTS);
            System.arraycopy(routed[rank], 0, sent, rank * LAYERS, LAYERS);
        }
        return new Snapshot(boundary, boundary * K, true, 0, votes, valid, load, sent, now);
    }

    private void feed(SampleRecord record) {
        fold.fold(offset++, now / 1_000_000, throughItsBytes(record))
                .ifPresent(closed -> windows.addAll(closed.windows()));
    }

    private static SampleRecord throughItsBytes(SampleRecord record) {
        try {
            return Topic.SAMPLES.decode(Topic.SAMPLES.encode(record));
        } catch (WireException e) {
            throw new IllegalStateException(e);
        }
    }
}
