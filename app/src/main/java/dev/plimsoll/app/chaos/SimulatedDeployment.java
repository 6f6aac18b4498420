package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.LocalRanks;
import dev.plimsoll.device.AgentListener;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import dev.plimsoll.simulator.Ending;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.simulator.Totals;
import dev.plimsoll.simulator.Traffic;
import dev.plimsoll.wire.MembershipFile;
import dev.plimsoll.wire.RankFiles;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.worker.NodeWorker;
import dev.plimsoll.worker.WorkerListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One deployment whose ranks live in this process and outlive everybody: a simulated engine on two nodes, the worker of each node, and
 * the {@link Truth} about its load.
 *
 * <p>The engine's files stand in one directory; each node has a directory with the files of its own ranks, the same ones under another
 * name (hard links), so that each node's collector sees its own ranks only, as on two machines.
 */
final class SimulatedDeployment implements AutoCloseable {
    static final int NODES = 2;
    static final int RANKS = 4;
    static final int BOUNDARY_STEPS = 8;
    static final int WINDOW_STEPS = 64;
    static final double STEPS_PER_SECOND = 50;

    private static final int LAYERS = 4;
    private static final int EXPERTS = 16;
    private static final int SLOTS_PER_RANK = 5;
    private static final int TOP_K = 2;
    private static final int TOKENS_PER_STEP = 16;
    private static final int EXPERT_BYTES = 4096;
    private static final Duration STEP_TIMEOUT = Duration.ofSeconds(30);

    private static final ModelPreset MODEL =
            new ModelPreset(ModelShape.of("chaos", EXPERTS, TOP_K, 0, LAYERS), 0.8, 1.3, 1);
    /** Popularity drifts and domains change often, so that there is always something to decide. */
    private static final GeneratedTraffic.Calibration LOAD =
            new GeneratedTraffic.Calibration(3, 0.3, 0.8, 8, 0.5, 1, 5_000, 1_000, 64, 512);

    private final Membership members;
    private final Truth truth = new Truth(RANKS, LAYERS * SLOTS_PER_RANK, BOUNDARY_STEPS);
    private final LocalRanks ranks;
    private final List<NodeWorker> workers = new ArrayList<>();
    private final AtomicBoolean ranksOpen = new AtomicBoolean(true);
    private @Nullable CompletableFuture<Ending> ending;

    /**
     * Opens ranks and makes workers; steps nothing.
     *
     * @param directory of all deployments: the node's directories are {@code node-0} and so on in it
     */
    SimulatedDeployment(
            Lifecycle lifecycle,
            KafkaSettings kafka,
            Deployment deployment,
            long seed,
            Path directory,
            Consumer<String> problems) {
        members = members(deployment);
        String name = deployment.id().replace('/', '-');
        Path engine = made(directory.resolve("engine").resolve(name));
        Traffic traffic = Truth.told(new GeneratedTraffic(MODEL, LOAD, TOKENS_PER_STEP, seed), steps -> note(steps));
        ranks = new LocalRanks(
                lifecycle,
                members,
                new EngineSettings(
                        members.shape(),
                        members.topology(),
                        0,
                        RANKS,
                        TOKENS_PER_STEP,
                        STEPS_PER_SECOND,
                        EXPERT_BYTES,
                        BOUNDARY_STEPS,
                        STEP_TIMEOUT),
                traffic,
                LocalRanks.Transfers.UNLIMITED,
                engine,
                Optional.empty(),
                new AgentListener() {
                    @Override
                    public void onFatal(long step, String why) {
                        problems.accept(
                                "a rank of " + deployment + " must leave its group at step " + step + ": " + why);
                    }
                },
                problems);
        for (int node = 0; node < NODES; node++) {
            Path ofNode = made(node(directory, node).resolve(name));
            new MembershipFile(ofNode).writeNext(members);
            link(engine, ofNode, node);
            workers.add(new NodeWorker(kafka, ofNode, deployment, WorkerListener.NONE));
        }
    }

    /** What the collector of a node serves. */
    static Path node(Path directory, int node) {
        return directory.resolve("node-" + node);
    }

    private static Membership members(Deployment deployment) {
        return new Membership(
                        deployment,
                        System.currentTimeMillis(),
                        MODEL.shape(),
                        Topology.even(RANKS, NODES, SLOTS_PER_RANK),
                        "plimsoll-simulator",
                        Phase.DECODE,
                        GatherMode.HOST,
                        BOUNDARY_STEPS,
                        WINDOW_STEPS,
                        EXPERT_BYTES,
                        64L * EXPERT_BYTES)
                .startable();
    }

    private static Path made(Path directory) {
        try {
            return Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make " + directory, e);
        }
    }

    private void link(Path engine, Path ofNode, int node) {
        try {
            for (int rank = 0; rank < RANKS; rank++) {
                if (members.topology().nodeOfRank().get(rank) == node) {
                    Files.createLink(RankFiles.mailbox(ofNode, rank), RankFiles.mailbox(engine, rank));
                    Files.createLink(RankFiles.ring(ofNode, rank), RankFiles.ring(engine, rank));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot link the files of " + engine + " into " + ofNode, e);
        }
    }

    private void note(long steps) {
        truth.note(steps, ranks::copyLoad);
    }

    void start() {
        workers.forEach(NodeWorker::start);
        ending = ranks.start();
    }

    /** Ends stepping; what was computed to the last boundary is then known. */
    void stopStepping() {
        ranks.stopStepping();
        note(ranks.totals().steps());
    }

    /** Why the engine has ended of itself, empty while it steps or was stopped. */
    Optional<Ending> failed() {
        return Optional.ofNullable(ending)
                .filter(CompletableFuture::isDone)
                .map(CompletableFuture::join)
                .filter(end -> end.reason() != Ending.Reason.STOPPED);
    }

    Membership members() {
        return members;
    }

    Truth truth() {
        return truth;
    }

    Totals totals() {
        return ranks.totals();
    }

    /** The last step that a sample can end at. */
    long lastBoundary() {
        long steps = ranks.totals().steps();
        return steps - steps % BOUNDARY_STEPS;
    }

    /** Closes the rings in order, once: the workers, which go on, then write END. */
    void closeRanks() {
        if (ranksOpen.getAndSet(false)) {
            ranks.close();
        }
    }

    @Override
    public void close() {
        try {
            closeRanks();
        } finally {
            workers.forEach(NodeWorker::close);
        }
    }
}
