package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import dev.plimsoll.simulator.ModelPreset;
import dev.plimsoll.wire.MembershipFile;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a membership for an engine that does not do so itself. */
@Command(
        name = "write",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Write the membership of a deployment, before its engine creates its heat rings. Each node of the"
                + " deployment needs it, with the same values.")
public final class MembershipWriteCommand implements Callable<Integer>, Validated {
    private static final int MOST_BOUNDARIES = 4096;

    @Mixin
    private SharedOptions shared = new SharedOptions();

    @Option(
            names = "--deployment",
            paramLabel = "NAME",
            required = true,
            description = "Name of the deployment, such as r1/decode-0.")
    @Nullable
    private String deployment;

    @Option(
            names = "--incarnation",
            paramLabel = "N",
            required = true,
            description = "Number of this life of the deployment: higher with each restart, the same on all nodes.")
    @Nullable
    private Long incarnation;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "A known model's shape; or, with --layers, --experts and --top-k, the name of another one.")
    @Nullable
    private String model;

    @Option(names = "--layers", paramLabel = "N", description = "Mixture-of-experts layers of a model of your own.")
    @Nullable
    private Integer layers;

    @Option(
            names = "--dense-layers",
            paramLabel = "N",
            description = "Layers without experts before them (default: 0).")
    @Nullable
    private Integer denseLayers;

    @Option(
            names = "--layer-ids",
            paramLabel = "ID",
            split = ",",
            description =
                    "The layers with experts, by the model's own numbers and in ascending order, instead of --layers"
                            + " and --dense-layers: such as 1,3,5 or 3..60.")
    private List<String> layerIds = new ArrayList<>();

    @Option(names = "--experts", paramLabel = "N", description = "Experts per layer of a model of your own.")
    @Nullable
    private Integer experts;

    @Option(names = "--top-k", paramLabel = "N", description = "Experts per token of a model of your own.")
    @Nullable
    private Integer topK;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            required = true,
            description = "Ranks of the deployment, over all nodes.")
    @Nullable
    private Integer ranks;

    @Option(names = "--nodes", paramLabel = "N", description = "Nodes they are on, in equal blocks (default: 1).")
    private int nodes = 1;

    @Option(
            names = "--slots-per-rank",
            paramLabel = "N",
            required = true,
            description = "Slots for experts that each rank has.")
    @Nullable
    private Integer slotsPerRank;

    @Option(names = "--boundary", paramLabel = "STEPS", description = "Steps between boundaries (default: 16).")
    private int boundarySteps = 16;

    @Option(names = "--window", paramLabel = "STEPS", description = "Steps in a window (default: 1024).")
    private int windowSteps = 1024;

    @Option(
            names = "--gather",
            paramLabel = "MODE",
            defaultValue = "none",
            description =
                    "How ranks bring their heat together: none, host (a Python engine's 'node' or 'tcp') or device"
                            + " (default: ${DEFAULT-VALUE}).")
    private GatherMode gather = GatherMode.NONE;

    @Option(names = "--phase", paramLabel = "PHASE", description = "prefill, decode or all (default: all).")
    private Phase phase = Phase.ALL;

    @Option(names = "--engine", paramLabel = "NAME", description = "Name and version of the engine, for people.")
    private String engine = "unknown";

    @Option(
            names = "--expert-bytes",
            paramLabel = "BYTES",
            description = "Weights of one expert in one layer (default: 1, for an engine that moves none).")
    private long expertBytes = 1;

    @Option(
            names = "--staging-bytes",
            paramLabel = "BYTES",
            description = "Room of one rank for incoming weights (default: one expert).")
    @Nullable
    private Long stagingBytes;

    @Option(
            names = "--idle-slots",
            description = "The engine can leave a slot idle: its maps name no slot that is to get no tokens"
                    + " (default: it uses every slot).")
    private boolean idleSlots;

    @Mixin
    private TraitOptions traits = new TraitOptions();

    @Mixin
    private InitialPlacementOption initial = new InitialPlacementOption();

    @Option(
            names = "--force",
            description = "Write it although one of the same or a higher incarnation is there: samples of an engine"
                    + " that runs under that one are then refused.")
    private boolean force;

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    private @Nullable Membership members;

    @Override
    public void check(Problems problems) {
        shared.check(problems);
        problems.require(deployment != null, "--deployment is missing: name the deployment, such as r1/decode-0");
        problems.require(incarnation != null, "--incarnation is missing: number this life of the deployment");
        if (incarnation != null) {
            Incarnations.check(problems, incarnation);
        }
        kafka.check(problems);
        problems.require(ranks != null, "--ranks is missing: say how many ranks the deployment has over all nodes");
        problems.require(ranks == null || (ranks >= 1 && ranks <= 1024), "--ranks must be 1 to 1024, not " + ranks);
        problems.require(
                nodes >= 1 && (ranks == null || ranks < 1 || ranks % Math.max(1, nodes) == 0),
                "--nodes " + nodes + " does not divide --ranks " + ranks + " evenly");
        problems.require(slotsPerRank != null, "--slots-per-rank is missing: say how many experts a rank has room for");
        problems.require(
                slotsPerRank == null || slotsPerRank >= 1, "--slots-per-rank must be at least 1, not " + slotsPerRank);
        problems.require(boundarySteps >= 1, "--boundary must be at least 1, not " + boundarySteps);
        problems.require(
                windowSteps >= 1 && (boundarySteps < 1 || windowSteps % boundarySteps == 0),
                "--window " + windowSteps + " must be a multiple of --boundary " + boundarySteps);
        problems.require(
                boundarySteps < 1 || windowSteps / boundarySteps <= MOST_BOUNDARIES,
                "--window " + windowSteps + " has more than " + MOST_BOUNDARIES + " boundaries of " + boundarySteps
                        + " steps");
        problems.require(expertBytes >= 1, "--expert-bytes must be at least 1, not " + expertBytes);
        problems.require(
                stagingBytes == null || stagingBytes >= expertBytes,
                "--staging-bytes " + stagingBytes + " cannot hold one expert of " + expertBytes + " bytes");
        if (deployment != null) {
            try {
                new Deployment(deployment);
            } catch (IllegalArgumentException e) {
                problems.add("--deployment: ", e);
            }
        }
        traits.check(problems, idleSlots, boundarySteps);
        Optional<ModelShape> shape = shape(problems);
        if (shape.isPresent() && ranks != null && slotsPerRank != null && ranks >= 1 && slotsPerRank >= 1) {
            long slots = (long) ranks * slotsPerRank;
            problems.require(
                    slots >= shape.get().experts(),
                    "--ranks " + ranks + " × --slots-per-rank " + slotsPerRank + " are " + slots
                            + " slots, too few for " + shape.get().experts() + " experts");
            if (nodes >= 1 && ranks % nodes == 0 && ranks <= 1024) {
                initial.check(problems, shape.get(), Topology.even(ranks, nodes, slotsPerRank));
            }
        }
        if (problems.any()
                || shape.isEmpty()
                || deployment == null
                || incarnation == null
                || ranks == null
                || slotsPerRank == null) {
            return;
        }
        try {
            Membership usual = new Membership(
                            new Deployment(deployment),
                            incarnation,
                            shape.get(),
                            Topology.even(ranks, nodes, slotsPerRank),
                            engine,
                            phase,
                            gather,
                            boundarySteps,
                            windowSteps,
                            expertBytes,
                            stagingBytes == null ? expertBytes : stagingBytes)
                    .withTraits(traits.traits())
                    .startable();
            members = usual;
        } catch (IllegalArgumentException e) {
            problems.add("--ranks, --slots-per-rank, --engine: ", e);
            return;
        }
        try {
            members = initial.of(members).startable();
        } catch (IllegalArgumentException e) {
            problems.add("--initial-placement: ", e);
            return;
        }
        InitialPlacementOption.checkRepair(problems, members);
        checkReplaced(problems, members);
    }

    private Optional<ModelShape> shape(Problems problems) {
        int others = problems.found().size();
        boolean own = layers != null || experts != null || topK != null || denseLayers != null || !layerIds.isEmpty();
        if (!own) {
            problems.require(
                    model != null,
                    "--model is missing: name one of " + String.join(", ", ModelPreset.names())
                            + ", or give --layers, --experts and --top-k");
        } else {
            problems.require(
                    layers != null || !layerIds.isEmpty(),
                    "--layers is missing, or --layer-ids: --experts and --top-k need one of them");
            problems.require(
                    layerIds.isEmpty() || (layers == null && denseLayers == null),
                    "--layer-ids says all about layers: leave --layers and --dense-layers out");
            problems.require(experts != null, "--experts is missing: a model of your own needs it");
            problems.require(topK != null, "--top-k is missing: a model of your own needs it");
            problems.require(
                    layers == null || (layers >= 1 && layers <= ModelShape.MOST_LAYERS),
                    "--layers must be 1 to " + ModelShape.MOST_LAYERS + ", not " + layers);
            problems.require(
                    denseLayers == null || (denseLayers >= 0 && denseLayers <= ModelShape.MOST_LAYERS),
                    "--dense-layers must be 0 to " + ModelShape.MOST_LAYERS + ", not " + denseLayers);
        }
        if (problems.found().size() > others) {
            return Optional.empty();
        }
        try {
            return own
                    ? Optional.of(ownShape())
                    : Optional.ofNullable(model)
                            .map(name -> ModelPreset.named(name).shape());
        } catch (IllegalArgumentException | ArithmeticException e) {
            problems.add(own ? "--model, --layer-ids, --experts, --top-k: " : "--model: ", e);
            return Optional.empty();
        }
    }

    private ModelShape ownShape() {
        if (experts == null || topK == null) {
            throw new IllegalStateException("options were not checked");
        }
        String name = model == null ? "unnamed" : model;
        return layers == null
                ? new ModelShape(name, experts, topK, LayerIds.parse(layerIds))
                : ModelShape.of(name, experts, topK, denseLayers == null ? 0 : denseLayers, layers);
    }

    private void checkReplaced(Problems problems, Membership fresh) {
        if (force) {
            return;
        }
        try {
            MembershipFile file = new MembershipFile(shared.directory());
            file.read()
                    .filter(old -> !old.equals(fresh))
                    .ifPresent(old -> problems.require(
                            old.deployment().equals(fresh.deployment()) && old.incarnation() < fresh.incarnation(),
                            file.path() + " is of " + old.deployment() + ", incarnation " + old.incarnation()
                                    + ", and --incarnation is " + fresh.incarnation()
                                    + ": choose a higher one or another directory; where the one that is there was"
                                    + " a mistake and has not been published, replace it with --force"));
        } catch (IllegalStateException e) {
            problems.add("replace it with --force: ", e);
        }
    }

    @Override
    public Integer call() throws Exception {
        Membership fresh = members;
        if (fresh == null) {
            throw new IllegalStateException("options were not checked");
        }
        if (kafka.given()) {
            try (Lifecycle lifecycle = new Lifecycle()) {
                Optional<String> tooLow =
                        Incarnations.tooLow(lifecycle, kafka.settings(), fresh.deployment(), fresh.incarnation());
                if (tooLow.isPresent()) {
                    System.err.println("plimsoll: " + tooLow.get());
                    return ExitCode.USAGE;
                }
            }
        }
        Files.createDirectories(shared.directory());
        MembershipFile file = new MembershipFile(shared.directory());
        file.write(fresh);
        System.out.print(MembershipShowCommand.text(file, fresh));
        return 0;
    }
}
