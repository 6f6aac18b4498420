package dev.plimsoll.app.command;

import com.sun.management.OperatingSystemMXBean;
import dev.plimsoll.app.LocalRanks;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.ExpertSize;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.model.Topology;
import dev.plimsoll.simulator.EngineSettings;
import dev.plimsoll.simulator.GeneratedTraffic;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.simulator.SimulatedDevice;
import dev.plimsoll.simulator.TokensPerStep;
import dev.plimsoll.simulator.Trace;
import dev.plimsoll.simulator.TraceTraffic;
import dev.plimsoll.simulator.Traffic;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The simulated ranks: what model, what traffic, how many, how fast.
 *
 * <p>Fields have their defaults as initial values too: picocli leaves out its own where another option cannot be read, and
 * the checks below would then report what nobody wrote.
 */
public final class EngineOptions {
    private static final String DEFAULT_MODEL = "qwen3-30b";
    private static final String DEFAULT_DEVICE = "h20";
    private static final long MOST_EXPERT_BYTES = 256 << 20;
    /** Room for incoming experts on a rank, where they are small. */
    private static final int STAGED_EXPERTS = 64;
    /** What the ranks of a deployment stage together, where experts are large: at least one layer of their weights. */
    private static final long STAGED_BYTES = 1L << 30;
    /** What the aggregator takes; a membership above it would be refused there, when everything runs. */
    private static final int MOST_BOUNDARIES = 4096;

    /** Our assumption: about what attention, routing and exchange of a layer take while decoding. */
    private static final Duration OTHER_TIME_PER_LAYER = Duration.ofNanos(30_000);

    private static final Duration STEP_TIMEOUT = Duration.ofSeconds(10);

    @Option(
            names = "--deployment",
            defaultValue = "demo/decode-0",
            description = "Name of the deployment (default: ${DEFAULT-VALUE}).")
    private String deployment = "demo/decode-0";

    @Option(
            names = "--trace",
            paramLabel = "DIR",
            description = "Real routing to serve: a directory with experts.npy and trace.json.")
    @Nullable
    private Path trace;

    @Option(
            names = "--trace-order",
            paramLabel = "ORDER",
            description =
                    "mixed: requests in seeded random order; domains: one data set after another (default: mixed).")
    private TraceTraffic.@Nullable Order traceOrder;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "Generated traffic of a model's shape instead of a trace (default: " + DEFAULT_MODEL + ").")
    @Nullable
    private String model;

    @Option(names = "--ranks", defaultValue = "8", description = "Ranks of the deployment (default: ${DEFAULT-VALUE}).")
    private int ranks = 8;

    @Option(names = "--nodes", defaultValue = "2", description = "Nodes the ranks are on (default: ${DEFAULT-VALUE}).")
    private int nodes = 2;

    @Option(
            names = "--redundant",
            paramLabel = "SLOTS",
            description = "Slots beyond the experts (default: one per rank, or what makes slots divide evenly).")
    @Nullable
    private Integer redundant;

    @Option(
            names = "--replica-share",
            paramLabel = "WAY",
            description = "How routers share an expert's tokens among its replicas: even, by-source, local-first or"
                    + " hashed-row (default: even).")
    @Nullable
    private String replicaShare;

    private ReplicaShare share = ReplicaShare.EVEN;

    @Option(
            names = "--steps-per-second",
            defaultValue = "100",
            description = "Pace, 0 for as fast as possible (default: ${DEFAULT-VALUE}).")
    private double stepsPerSecond = 100;

    @Option(
            names = "--tokens-per-step",
            paramLabel = "N[,N@STEP...]",
            defaultValue = "64",
            description = "Tokens of one step over all ranks; 2048,32@6000 are 2048, and 32 from step 6000 on (default:"
                    + " ${DEFAULT-VALUE}).")
    private String tokensPerStep = "64";

    @Option(
            names = "--window",
            paramLabel = "STEPS",
            defaultValue = "256",
            description = "Steps in a window (default: ${DEFAULT-VALUE}).")
    private int windowSteps = 256;

    @Option(
            names = "--boundary",
            paramLabel = "STEPS",
            defaultValue = "16",
            description =
                    "Steps between two boundaries, where samples, votes and flips happen (default: ${DEFAULT-VALUE}).")
    private int boundarySteps = 16;

    @Option(
            names = "--layers",
            paramLabel = "N",
            description = "Only the first N layers of the model's experts, for experts of real size (default: all).")
    @Nullable
    private Integer layers;

    @Option(
            names = "--expert-bytes",
            paramLabel = "BYTES",
            defaultValue = "4096",
            converter = ByteSizes.class,
            description = "Bytes of one expert's weights in one layer, such as 4096 or 44MiB, up to 256MiB (default:"
                    + " ${DEFAULT-VALUE}).")
    private long expertBytes = 4096;

    @Option(
            names = "--transfer-bytes-per-second",
            paramLabel = "BYTES",
            defaultValue = "0",
            converter = ByteSizes.class,
            description = "What a rank sends at most while experts are moved, such as 500MiB; 0 for no limit (default:"
                    + " ${DEFAULT-VALUE}).")
    private long transferBytesPerSecond;

    @Option(
            names = "--engine-moves",
            description =
                    "The engine moves weights by itself, a layer a step: ranks are given a target and say when they"
                            + " have got there.")
    private boolean engineMoves;

    @Option(
            names = "--seed",
            defaultValue = "7",
            description = "Seed of all that is random (default: ${DEFAULT-VALUE}).")
    private long seed = 7;

    @Option(
            names = "--other-step-time",
            paramLabel = "DURATION",
            description = "What a step takes beside its experts, such as 800us or 2ms: attention, routing, exchange"
                    + " (default: 30us per layer).")
    @Nullable
    private Duration otherStepTime;

    @Option(
            names = "--step-noise",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "Standard deviation that a step's time scatters with, as a share of it (default:"
                    + " ${DEFAULT-VALUE}).")
    private double stepNoise;

    @Mixin
    private InitialPlacementOption initial = new InitialPlacementOption();

    private TokensPerStep tokens = TokensPerStep.of(64);
    private @Nullable ModelShape shape;
    private @Nullable Topology topology;
    private @Nullable Supplier<Traffic> traffic;

    /** Checks everything and works out shape, topology and traffic. */
    public void check(Problems problems) {
        share = TraitOptions.one(problems, "--replica-share", replicaShare, ReplicaShare.class)
                .orElse(ReplicaShare.EVEN);
        problems.require(
                share != ReplicaShare.FITTED,
                "--replica-share fitted is what a planner does with an engine that does not say how it shares; routers need a rule");
        problems.require(ranks >= 1 && ranks <= 1024, "--ranks must be 1 to 1024, not " + ranks);
        problems.require(
                nodes >= 1 && (ranks < 1 || ranks % Math.max(1, nodes) == 0),
                "--nodes " + nodes + " does not divide --ranks " + ranks + " evenly");
        problems.require(
                stepsPerSecond >= 0 && stepsPerSecond <= 1e6,
                "--steps-per-second must be 0 to 1000000, not " + stepsPerSecond);
        try {
            tokens = TokensPerStep.read(tokensPerStep);
            problems.require(tokens.most() <= 65536, "--tokens-per-step must be 1 to 65536, not " + tokens.most());
        } catch (IllegalArgumentException e) {
            problems.add("--tokens-per-step: ", e);
        }
        problems.require(
                otherStepTime == null || !otherStepTime.isNegative(), "--other-step-time must not be negative");
        problems.require(stepNoise >= 0 && stepNoise <= 0.5, "--step-noise must be 0 to 0.5, not " + stepNoise);
        problems.require(boundarySteps >= 1, "--boundary must be at least 1, not " + boundarySteps);
        problems.require(
                windowSteps >= 1 && (boundarySteps < 1 || windowSteps % boundarySteps == 0),
                "--window " + windowSteps + " must be a multiple of --boundary " + boundarySteps);
        problems.require(
                boundarySteps < 1 || windowSteps / boundarySteps <= MOST_BOUNDARIES,
                "--window " + windowSteps + " has more than " + MOST_BOUNDARIES + " boundaries of " + boundarySteps
                        + " steps");
        problems.require(
                expertBytes >= 64 && expertBytes % 8 == 0 && expertBytes <= MOST_EXPERT_BYTES,
                "--expert-bytes must be a multiple of 8 from 64 to " + ByteSizes.of(MOST_EXPERT_BYTES) + ", not "
                        + expertBytes);
        problems.require(
                transferBytesPerSecond == 0 || transferBytesPerSecond >= 1024,
                "--transfer-bytes-per-second must be 0, for no limit, or at least 1KiB, not " + transferBytesPerSecond);
        problems.require(layers == null || layers >= 1, "--layers must be at least 1, not " + layers);
        problems.require(
                trace == null || layers == null, "--layers is for generated traffic: leave it out, or --trace");
        problems.require(
                !(trace != null && model != null), "--trace brings its own model: leave --model out, or --trace");
        problems.require(trace != null || traceOrder == null, "--trace-order needs a --trace");
        try {
            new Deployment(deployment);
        } catch (IllegalArgumentException e) {
            problems.add("--deployment: ", e);
        }
        checkTraffic(problems);
        checkTopology(problems);
        if (!problems.any()) {
            try {
                engine(0, ranks);
                InitialPlacementOption.checkRepair(problems, members(1));
            } catch (IllegalArgumentException e) {
                problems.add("", e);
            }
        }
    }

    private void checkTraffic(Problems problems) {
        try {
            if (trace != null) {
                Trace read = Trace.open(trace);
                shape = read.model();
                TraceTraffic.Order order = traceOrder == null ? TraceTraffic.Order.MIXED : traceOrder;
                traffic = () -> new TraceTraffic(read, order, tokens, seed);
            } else {
                ModelPreset named = ModelPreset.named(model == null ? DEFAULT_MODEL : model);
                ModelPreset preset = layers == null || layers < 1 ? named : named.withLayers(layers);
                shape = preset.shape();
                traffic = () -> new GeneratedTraffic(preset, GeneratedTraffic.Calibration.DEFAULT, tokens, seed);
            }
        } catch (IllegalArgumentException | java.io.UncheckedIOException e) {
            problems.add(trace != null ? "--trace: " : "--model: ", e);
        }
    }

    private void checkTopology(Problems problems) {
        ModelShape known = shape;
        if (known == null || ranks < 1 || nodes < 1 || ranks % nodes != 0) {
            return;
        }
        int experts = known.experts();
        int filling = Math.floorMod(-experts, ranks);
        int extra = redundant != null ? redundant : filling == 0 ? ranks : filling;
        if (extra < 0) {
            problems.add("--redundant must not be negative: " + extra);
        } else if ((experts + extra) % ranks != 0) {
            problems.add(experts + " experts and --redundant " + extra + " are " + (experts + extra)
                    + " slots, which do not divide over " + ranks + " ranks: use "
                    + (extra + Math.floorMod(-(experts + extra), ranks)));
        } else if ((experts + extra) / ranks > experts) {
            problems.add("--redundant " + extra + " gives each rank " + (experts + extra) / ranks + " slots for "
                    + experts + " experts: at most " + (experts * ranks - experts));
        } else {
            topology = Topology.even(ranks, nodes, (experts + extra) / ranks);
            initial.check(problems, known, topology);
            initial.checkKnown(problems, known);
        }
    }

    /** Settings of the engine that holds some of the ranks. */
    public EngineSettings engine(int firstRank, int localRanks) {
        return new EngineSettings(
                        shape(),
                        topology(),
                        firstRank,
                        localRanks,
                        tokens.most(),
                        stepsPerSecond,
                        expertBytes,
                        boundarySteps,
                        STEP_TIMEOUT)
                .withShare(share);
    }

    /** The same, with steps timed by a profile where there is one. */
    public EngineSettings engine(int firstRank, int localRanks, Optional<ProfileChoice> profile) {
        EngineSettings settings = engine(firstRank, localRanks);
        return profile.map(
                        choice -> settings.on(new SimulatedDevice(profile(choice), otherStepTime(), stepNoise, seed)))
                .orElse(settings);
    }

    /** Refuses a device's name alone for a model whose experts' size is not known; nothing where options are wrong. */
    void checkSizeIsKnown(Problems problems, ProfileChoice profile) {
        if (shape != null) {
            ProfileOption.requireKnownSize(problems, profile, shape);
        }
    }

    /** What a step takes beside its experts. */
    public Duration otherStepTime() {
        return otherStepTime == null ? OTHER_TIME_PER_LAYER.multipliedBy(shape().layers()) : otherStepTime;
    }

    /** What stands in where nobody names a device; for a model whose experts' size is not known, as if they were gpt-oss-20b's. */
    ProfileChoice defaultProfile() {
        return ProfileChoice.read(
                ExpertSize.named(shape().name()).isPresent() ? DEFAULT_DEVICE : DEFAULT_DEVICE + "/gpt-oss-20b");
    }

    /** The profile for this model's experts. */
    public DeviceProfile profile(ProfileChoice choice) {
        return choice.of(shape(), expertBytes);
    }

    /** The traffic, equal in all processes of a deployment. */
    public Traffic traffic() {
        if (traffic == null) {
            throw new IllegalStateException("options were not checked");
        }
        return traffic.get();
    }

    public Membership members(long incarnation) {
        Membership usual = new Membership(
                        new Deployment(deployment),
                        incarnation,
                        shape(),
                        topology(),
                        "plimsoll-simulator",
                        Phase.DECODE,
                        GatherMode.HOST,
                        boundarySteps,
                        windowSteps,
                        expertBytes,
                        stagedExperts() * expertBytes)
                .withTraits(EngineTraits.USUAL
                        .withIdleSlots(!engineMoves)
                        .withMovesWeights(engineMoves)
                        .withShare(share));
        return initial.of(usual).startable();
    }

    /** Whether a file says what the ranks start with. */
    boolean startsWithFile() {
        return initial.given();
    }

    /** Experts that a rank has room for while they come in: what makes no batch of less than a layer. */
    private long stagedExperts() {
        long fitting = STAGED_BYTES / (ranks * expertBytes);
        return Math.max(Math.min(fitting, STAGED_EXPERTS), topology().slotsPerRank());
    }

    /** Refuses ranks that this machine has no memory for; nothing where other options are wrong. */
    void checkMemory(Problems problems, int localRanks) {
        if (problems.any()) {
            return;
        }
        long weights = engine(0, localRanks).weightsBytes();
        // Once where a rank receives them, once in the memory that ranks share.
        long staging = 2 * localRanks * stagedExperts() * expertBytes;
        long there = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
        problems.require(
                weights + staging <= there / 4 * 3,
                String.format(
                        Locale.ROOT,
                        "%d ranks with %d layers × %d slots of %s take %.1f GB, and %.1f GB while experts move; this"
                                + " machine has %.1f GB, of which 3/4 are for them: ask for fewer --layers, a smaller"
                                + " --expert-bytes, or less --redundant",
                        localRanks,
                        shape().layers(),
                        topology().slotsPerRank(),
                        ByteSizes.of(expertBytes),
                        weights / 1e9,
                        staging / 1e9,
                        there / 1e9));
    }

    /** How ranks exchange weights. */
    public LocalRanks.Transfers transfers() {
        return new LocalRanks.Transfers(transferBytesPerSecond);
    }

    /** Whether the engine moves weights by itself, for which all ranks must be in one process. */
    boolean engineMoves() {
        return engineMoves;
    }

    /** The pace, 0 for none. */
    public double stepsPerSecond() {
        return stepsPerSecond;
    }

    public int ranks() {
        return ranks;
    }

    int nodes() {
        return nodes;
    }

    /** One line on what is simulated. */
    public String summary() {
        ModelShape known = shape();
        return known.name() + " (" + known.layers() + " layers × " + known.experts() + " experts, top " + known.topK()
                + ") on "
                + ranks + " ranks × " + topology().slotsPerRank() + " slots, "
                + (trace == null
                        ? "generated traffic"
                        : "trace " + trace + ", " + (traceOrder == null ? TraceTraffic.Order.MIXED : traceOrder))
                + ", "
                + tokens.summary() + ", "
                + (stepsPerSecond == 0 ? "as fast as it goes" : stepsPerSecond + " steps/s") + ", windows of "
                + windowSteps + " steps";
    }

    private ModelShape shape() {
        if (shape == null) {
            throw new IllegalStateException("options were not checked");
        }
        return shape;
    }

    private Topology topology() {
        if (topology == null) {
            throw new IllegalStateException("options were not checked");
        }
        return topology;
    }
}
