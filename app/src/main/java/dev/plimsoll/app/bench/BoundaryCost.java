package dev.plimsoll.app.bench;

import dev.plimsoll.device.AgentListener;
import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.Device;
import dev.plimsoll.device.DeviceMemory;
import dev.plimsoll.device.EngineRank;
import dev.plimsoll.device.HeatCapture;
import dev.plimsoll.device.PlanMailbox;
import dev.plimsoll.device.RankAgent;
import dev.plimsoll.device.Stream;
import dev.plimsoll.device.Vote;
import dev.plimsoll.device.WeightTensor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * What a boundary costs a dispatch thread with no decision in flight: of a rank that only stages its counters and issues its gather, and
 * of one with an agent, which could take a decision any time. One after the other at every turn, so that both see the same machine; after
 * a short sleep, and after memory was walked through besides, as an engine's steps do, so that nothing of either is left in the caches.
 * The ring alone crosses from Java fourteen times and the agent four times: what an engine that is not in Java pays, {@code idle_test
 * bench} of {@code native} says.
 */
final class BoundaryCost implements AutoCloseable {
    private static final int BOUNDARY_STEPS = 16;
    private static final int EXPERT_BYTES = 64;
    private static final int MAILBOX_BYTES = 1 << 16;
    /** So many that the compiler is through with what is measured. */
    private static final int WARM_UP = 6000;

    private static final int TURNS = 4000;
    private static final int TURNS_SWEPT = 600;
    private static final int LINE_WORDS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** Parked, so that the ring's threads get a core and sleep again: who has to wake one pays for it. */
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Stream stream;
    private final HeatCapture bare;
    private final RankAgent agent;
    private final Vote vote = Vote.none(1, 0);
    private long step;

    /** More than the caches of one processor hold. */
    private final long[] memory = new long[64 << 17];

    /**
     * Staging and issuing alone, and how much longer it takes with an agent around it; in nanoseconds.
     *
     * @param slept after a short sleep
     * @param swept when nothing of it is in the caches
     */
    record Result(Pairs slept, Pairs swept) {}

    /** @param directory in shared memory, used by nothing else */
    private BoundaryCost(Device device, Path directory, int layers, int slots) {
        try {
            stream = opened(device.stream("compute"));
            bare = capture(device, directory, "bare", join(device, directory, "bare", layers, slots), layers, slots);
            Communicator group = join(device, directory, "agent", layers, slots);
            HeatCapture ring = capture(device, directory, "agent", group, layers, slots);
            DeviceMemory weights = opened(device.allocate((long) EXPERT_BYTES * layers * slots));
            PlanMailbox mailbox = opened(PlanMailbox.open(directory.resolve("mailbox"), MAILBOX_BYTES));
            agent = opened(RankAgent.open(
                    ring,
                    Optional.of(group),
                    mailbox,
                    rank(weights, layers, slots),
                    new RankAgent.Options(0, slots, (long) EXPERT_BYTES * slots, PATIENCE, 1, 0, false),
                    IntStream.range(0, layers * slots).map(cell -> cell % slots).toArray(),
                    AgentListener.NONE));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    static Result measure(Path directory, int layers, int slots) {
        try (Device device = Device.open("host");
                BoundaryCost cost = new BoundaryCost(device, directory, layers, slots)) {
            cost.turns(WARM_UP, Thread::yield);
            return new Result(cost.turns(TURNS, cost::pause), cost.turns(TURNS_SWEPT, cost::sweep));
        }
    }

    private Pairs turns(int count, Runnable before) {
        Pairs pairs = new Pairs();
        for (int i = 0; i < count; i++) {
            if (i % 2 == 0) {
                long alone = staged(before);
                pairs.add(alone, withAgent(before));
            } else {
                long agents = withAgent(before);
                pairs.add(staged(before), agents);
            }
            step += BOUNDARY_STEPS;
        }
        return pairs;
    }

    private long staged(Runnable before) {
        before.run();
        long began = System.nanoTime();
        bare.begin(stream, step, PATIENCE);
        bare.end(vote);
        return System.nanoTime() - began;
    }

    private long withAgent(Runnable before) {
        before.run();
        long began = System.nanoTime();
        agent.atBoundary(step);
        return System.nanoTime() - began;
    }

    private void pause() {
        LockSupport.parkNanos(PAUSE_NANOS);
    }

    private void sweep() {
        pause();
        for (int i = 0; i < memory.length; i += LINE_WORDS) {
            memory[i]++;
        }
    }

    private Communicator join(Device device, Path directory, String name, int layers, int slots) {
        return opened(Communicator.open(
                device,
                directory.resolve(name + ".segment"),
                1,
                1,
                0,
                RankGroup.bytesPerRank(layers, slots) + Long.BYTES * 4L,
                EXPERT_BYTES * (long) slots,
                PATIENCE));
    }

    private HeatCapture capture(Device device, Path directory, String name, Communicator group, int layers, int slots) {
        DeviceMemory load = opened(device.allocate((long) Long.BYTES * layers * slots));
        DeviceMemory routed = opened(device.allocate((long) Long.BYTES * layers));
        return opened(HeatCapture.open(
                device,
                group,
                new HeatCapture.Options(
                        Optional.of(directory.resolve(name + ".ring")),
                        "bench/boundary",
                        1,
                        0,
                        1,
                        layers,
                        slots,
                        BOUNDARY_STEPS,
                        load.address(),
                        routed.address())));
    }

    private EngineRank rank(DeviceMemory weights, int layers, int slots) {
        List<WeightTensor> tensors = IntStream.range(0, layers)
                .mapToObj(layer -> new WeightTensor(
                        layer, weights.address() + (long) layer * slots * EXPERT_BYTES, EXPERT_BYTES, EXPERT_BYTES))
                .toList();
        return new EngineRank() {
            @Override
            public Stream computeStream() {
                return stream;
            }

            @Override
            public List<WeightTensor> weights() {
                return tensors;
            }

            @Override
            public void flipMap(int layer, int[] changed, int[] experts, boolean[] inUse) {
                throw new IllegalStateException("nobody decides here");
            }
        };
    }

    private <T extends AutoCloseable> T opened(T part) {
        opened.push(part);
        return part;
    }

    @Override
    public void close() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot close a rank: " + e.getMessage(), e);
            }
        }
    }
}
