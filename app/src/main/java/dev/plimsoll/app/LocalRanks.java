package dev.plimsoll.app;

import dev.plimsoll.app.metrics.Meters;
import dev.plimsoll.device.AgentListener;
import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.Device;
import dev.plimsoll.device.EngineRank;
import dev.plimsoll.device.HeatCapture;
import dev.plimsoll.device.PlanMailbox;
import dev.plimsoll.device.RankAgent;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.simulator.DeviceTotals;
import dev.plimsoll.simulator.Ending;
import dev.plimsoll.simulator.Engine;
import dev.plimsoll.simulator.EngineListener;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.Meeting;
import dev.plimsoll.simulator.MisroutedToken;
import dev.plimsoll.simulator.ProcessGroup;
import dev.plimsoll.simulator.SimulatedRank;
import dev.plimsoll.simulator.Totals;
import dev.plimsoll.simulator.Traffic;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.worker.Orders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * The ranks of this process: a simulated engine on the native library's host back end, with one heat ring, one mailbox and one
 * agent per rank.
 *
 * <p>Everything meets the node's collector and worker in the files of a shared directory, also when they run in the same process.
 */
public final class LocalRanks implements AutoCloseable {
    private static final Duration GATHER_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration FLIP_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration STREAM_TIMEOUT = Duration.ofSeconds(1);
    private static final long HIGHEST_NANOS = 60_000_000_000L;
    /** Of the simulator's experts: three tensors of 64-bit words. */
    private static final long MANIFEST = "half, three eighths, eighth: int64[]".hashCode();

    /**
     * How ranks exchange weights.
     *
     * @param bytesPerSecond what a rank sends at most, 0 for no limit
     */
    public record Transfers(long bytesPerSecond) {
        public static final Transfers UNLIMITED = new Transfers(0);

        public Transfers {
            if (bytesPerSecond < 0) {
                throw new IllegalArgumentException(
                        "a limit of " + bytesPerSecond + " bytes per second: need 0, for none, or more");
            }
        }

        /** What is slower has failed: half of the limit where that is below what the library expects; 0 leaves it to the library. */
        long leastBytesPerSecond() {
            return bytesPerSecond >= 2 * USUAL_BYTES_PER_SECOND ? 0 : bytesPerSecond / 2;
        }

        private static final long USUAL_BYTES_PER_SECOND = 16 << 20;
    }

    private final Membership members;
    private final Transfers transfers;
    private final Engine engine;
    private final List<EngineRank> ranks = new ArrayList<>();
    private final Histogram boundaryNanos = new ConcurrentHistogram(HIGHEST_NANOS, 3);
    /** Closed last to first; agents and captures on the dispatch thread, which they belong to. */
    private final Deque<AutoCloseable> onDispatchThread = new ArrayDeque<>();

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    /** What the engine stands on, closed after it: the device, and a lock that keeps others from the files of ranks that run. */
    private final Deque<AutoCloseable> beneath = new ArrayDeque<>();

    private CompletableFuture<Ending> running = new CompletableFuture<>();
    private volatile boolean started;

    /**
     * Opens everything; steps nothing.
     *
     * @param lifecycle whose stop ends the opening too
     * @param group the other processes that hold ranks of the same engine, none when there is only this one
     * @param problems told of what a person should know: misrouted tokens, a rank that must leave
     */
    public LocalRanks(
            Lifecycle lifecycle,
            Membership members,
            EngineSettings settings,
            Traffic traffic,
            Transfers transfers,
            Path directory,
            Optional<ProcessGroup> group,
            AgentListener agents,
            Consumer<String> problems) {
        this(lifecycle, members, settings, traffic, transfers, directory, group, agents, EngineListener.NONE, problems);
    }

    /**
     * The same.
     *
     * @param steps told of boundaries and steps, on the dispatch thread
     */
    public LocalRanks(
            Lifecycle lifecycle,
            Membership members,
            EngineSettings settings,
            Traffic traffic,
            Transfers transfers,
            Path directory,
            Optional<ProcessGroup> group,
            AgentListener agents,
            EngineListener steps,
            Consumer<String> problems) {
        this.members = members;
        this.transfers = transfers;
        EngineListener listener = new EngineListener() {
            @Override
            public void boundary(long step, int rank, long nanos) {
                boundaryNanos.recordValue(Math.min(HIGHEST_NANOS, nanos));
            }

            @Override
            public void boundaryDone(long step, long nanos) {
                steps.boundaryDone(step, nanos);
            }

            @Override
            public void stepped(long step, long nanos) {
                steps.stepped(step, nanos);
            }

            @Override
            public void misrouted(MisroutedToken token) {
                problems.accept("misrouted token: " + token);
            }
        };
        // The system lets go of it when we end, however that happens.
        beneath.push(lock(directory.resolve("ranks-" + settings.firstRank() + ".lock")));
        if (settings.bytesPerExpert() != members.bytesPerExpert()) {
            throw new IllegalArgumentException("the engine's experts have " + settings.bytesPerExpert()
                    + " bytes per layer, the membership says " + members.bytesPerExpert());
        }
        Placement initial = members.start();
        Device device;
        try {
            new MembershipFile(directory).writeNext(members);
            device = Device.open("host");
            beneath.push(device);
            engine = group.isPresent()
                    ? Engine.open(device, settings, initial, traffic, listener, group.get())
                    : Engine.open(device, settings, initial, traffic, listener);
        } catch (RuntimeException e) {
            closeAll(beneath, new ArrayList<>());
            throw e;
        }
        try {
            for (int rank = settings.firstRank(); rank < settings.firstRank() + settings.ranks(); rank++) {
                lifecycle.proceed();
                openRank(new RankId(rank), device, directory, group, initial, agents);
            }
        } catch (RuntimeException e) {
            try {
                close();
            } catch (RuntimeException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }

    private void openRank(
            RankId rank,
            Device device,
            Path directory,
            Optional<ProcessGroup> group,
            Placement initial,
            AgentListener agents) {
        int layers = members.shape().layers();
        int slots = members.topology().slotsPerRank();
        // Heat and votes of one rank: its counters, its routed counters, its vote.
        long gatherBytes = 8L * layers * slots + 8L * layers + 64;
        Communicator communicator = join(rank, device, directory.resolve("gather.segment"), group, gatherBytes);
        opened.push(communicator);
        // Another life's mailbox: what it holds is of no use, and its last position would hide the commands of this
        // one.
        delete(RankFiles.mailbox(directory, rank.index()));
        PlanMailbox mailbox =
                PlanMailbox.open(RankFiles.mailbox(directory, rank.index()), Orders.mailboxBytes(members));
        opened.push(mailbox);
        HeatCapture capture = HeatCapture.open(
                device,
                communicator,
                new HeatCapture.Options(
                        Optional.of(RankFiles.ring(directory, rank.index())),
                        members.deployment().id(),
                        members.incarnation(),
                        rank.index(),
                        members.topology().ranks(),
                        layers,
                        slots,
                        members.boundarySteps(),
                        engine.rank(rank).loadAddress(),
                        engine.rank(rank).routedAddress()));
        onDispatchThread.push(capture);
        boolean engineMoves = members.traits().movesWeights();
        RankAgent agent = RankAgent.open(
                capture,
                Optional.of(communicator),
                mailbox,
                engine.rank(rank),
                new RankAgent.Options(
                        initial.version(),
                        members.shape().experts(),
                        engineMoves ? 0 : members.stagingBytesPerRank(),
                        FLIP_TIMEOUT,
                        MANIFEST,
                        transfers.leastBytesPerSecond(),
                        engineMoves),
                Arrays.stream(initial.marked()).flatMapToInt(Arrays::stream).toArray(),
                agents);
        onDispatchThread.push(agent);
        ranks.add(engine.rank(rank));
        engine.hook(rank, agent);
    }

    /** Ranks of one machine meet in one segment; of several, those of a process in one of their own, and the processes over TCP. */
    private Communicator join(
            RankId rank, Device device, Path segment, Optional<ProcessGroup> group, long gatherBytes) {
        if (group.isPresent() && group.get().meeting() instanceof Meeting.ByAddress there) {
            int perProcess = members.topology().ranks() / group.get().processes();
            return Communicator.overNodes(
                    device,
                    there.ranks(),
                    there.secretFile(),
                    segment,
                    IntStream.range(0, members.topology().ranks())
                            .mapToObj(one -> one / perProcess)
                            .toList(),
                    members.incarnation(),
                    rank.index(),
                    gatherBytes,
                    members.stagingBytesPerRank(),
                    transfers.bytesPerSecond(),
                    GATHER_TIMEOUT);
        }
        return Communicator.open(
                device,
                segment,
                members.incarnation(),
                members.topology().ranks(),
                rank.index(),
                gatherBytes,
                members.stagingBytesPerRank(),
                transfers.bytesPerSecond(),
                GATHER_TIMEOUT);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot replace " + file, e);
        }
    }

    /** Starts stepping; completes when the engine stops, for whatever reason. */
    public CompletableFuture<Ending> start() {
        running = engine.start(Long.MAX_VALUE);
        started = true;
        return running;
    }

    /** Asks for an end of stepping and waits a little for it. */
    public void stopStepping() {
        engine.stop();
        try {
            running.get(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            // How it ended is told by the future that start() has returned; here it only matters that we go on.
        }
    }

    public Totals totals() {
        return engine.totals();
    }

    /** What the steps would have taken on a device; empty where they are not timed. */
    public Optional<DeviceTotals> deviceTotals() {
        return engine.deviceTotals();
    }

    /** Copies what a rank has counted, under the conditions of {@link SimulatedRank#copyLoad}. */
    public void copyLoad(RankId rank, long[] into) {
        engine.rank(rank).copyLoad(into);
    }

    /** The same for meters, read when asked. */
    public Meters.EngineCounts counts() {
        return new Meters.EngineCounts() {
            @Override
            public double steps() {
                return totals().steps();
            }

            @Override
            public double tokens() {
                return totals().tokens();
            }

            @Override
            public double misrouted() {
                return totals().misrouted();
            }
        };
    }

    /** Time that the dispatch thread spent in our calls, per boundary and rank, in nanoseconds; safe to copy at any time. */
    public Histogram boundaryNanos() {
        return boundaryNanos;
    }

    /** Stops stepping, then closes agents, rings, mailboxes and streams, in this order. */
    @Override
    public void close() {
        if (started) {
            stopStepping();
        }
        List<RuntimeException> failures = new ArrayList<>();
        try {
            engine.onDispatchThread(
                    () -> {
                        if (streamsAreDry(failures)) {
                            closeAll(onDispatchThread, failures);
                        }
                    },
                    CLOSE_TIMEOUT);
        } catch (RuntimeException e) {
            failures.add(e);
        }
        closeAll(opened, failures);
        engine.close();
        closeAll(beneath, failures);
        if (!failures.isEmpty()) {
            throw failures.get(0);
        }
    }

    private static FileChannel lock(Path file) {
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            try {
                if (channel.tryLock() != null) {
                    return channel;
                }
            } catch (OverlappingFileLockException e) {
                // Ranks of this very process hold it.
            }
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot lock " + file, e);
        }
        throw new IllegalStateException(
                "other ranks run in " + file.getParent() + ": stop them, or choose another directory");
    }

    /** Whether nothing on a compute stream can touch staging memory any more; where it can, a leak is better than freeing it. */
    private boolean streamsAreDry(List<RuntimeException> failures) {
        for (EngineRank rank : ranks) {
            try {
                rank.computeStream().synchronize(STREAM_TIMEOUT);
            } catch (RuntimeException e) {
                failures.add(e);
                return false;
            }
        }
        return true;
    }

    private static void closeAll(Deque<AutoCloseable> closeables, List<RuntimeException> failures) {
        while (!closeables.isEmpty()) {
            try {
                closeables.pop().close();
            } catch (Exception e) {
                failures.add(e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e));
            }
        }
    }
}
