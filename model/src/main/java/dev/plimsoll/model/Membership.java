package dev.plimsoll.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Who takes part in one incarnation of a deployment, and the schedule that all of them keep: the only record that starts an
 * incarnation.
 *
 * @param incarnation one life of the deployment; a restart or another set of ranks starts the next, higher one: counted, or the
 *     time in milliseconds
 * @param engine the engine's name and version, for people
 * @param phase the phase of all samples of this incarnation
 * @param boundarySteps K: samples, votes and flips happen at steps divisible by it
 * @param windowSteps W, a multiple of K; in this record, not in a setting, so that windows are a function of the log
 * @param bytesPerExpert weights of one expert in one layer
 * @param stagingBytesPerRank room of one rank for incoming weights
 * @param traits what the engine is like
 * @param initial the placement that the engine starts with, with version 0; empty: {@link Placement#initial}
 */
public record Membership(
        Deployment deployment,
        long incarnation,
        ModelShape shape,
        Topology topology,
        String engine,
        Phase phase,
        GatherMode gather,
        int boundarySteps,
        int windowSteps,
        long bytesPerExpert,
        long stagingBytesPerRank,
        EngineTraits traits,
        Optional<Placement> initial)
        implements SampleRecord {
    /** What one exchange of weights can bring to a rank, whatever its memory. */
    private static final int MOST_STAGED_EXPERTS = 1024;

    private static final long MOST_AHEAD_MILLIS = 24 * 3_600_000L;

    /** Of a usual engine, which starts with the usual placement. */
    public Membership(
            Deployment deployment,
            long incarnation,
            ModelShape shape,
            Topology topology,
            String engine,
            Phase phase,
            GatherMode gather,
            int boundarySteps,
            int windowSteps,
            long bytesPerExpert,
            long stagingBytesPerRank) {
        this(
                deployment,
                incarnation,
                shape,
                topology,
                engine,
                phase,
                gather,
                boundarySteps,
                windowSteps,
                bytesPerExpert,
                stagingBytesPerRank,
                EngineTraits.USUAL,
                Optional.empty());
    }

    public Membership {
        if (incarnation < 1) {
            throw new IllegalArgumentException("incarnation must be at least 1: " + incarnation);
        }
        if (boundarySteps < 1 || windowSteps < boundarySteps || windowSteps % boundarySteps != 0) {
            throw new IllegalArgumentException("a window of " + windowSteps
                    + " steps must be a multiple of the boundary interval of " + boundarySteps + " steps");
        }
        if (topology.slots() < shape.experts()) {
            throw new IllegalArgumentException(topology.slots() + " slots cannot hold " + shape.experts() + " experts");
        }
        if (bytesPerExpert < 1 || stagingBytesPerRank < bytesPerExpert) {
            throw new IllegalArgumentException("staging of " + stagingBytesPerRank
                    + " bytes per rank cannot hold one expert of " + bytesPerExpert + " bytes");
        }
        initial.ifPresent(placement -> requireFit(placement, shape, topology));
    }

    private static void requireFit(Placement placement, ModelShape shape, Topology topology) {
        if (placement.version() != 0 || placement.layers() != shape.layers() || placement.slots() != topology.slots()) {
            throw new IllegalArgumentException("an initial placement v" + placement.version() + " of "
                    + placement.layers() + " layers × " + placement.slots() + " slots does not fit "
                    + shape.layers() + " layers × " + topology.slots() + " slots, or is not version 0");
        }
    }

    /** Version 0: what this incarnation starts with. */
    public Placement start() {
        return initial.orElseGet(() -> Placement.initial(shape, topology));
    }

    /** Whether the engine can leave a slot idle. */
    public boolean idleSlots() {
        return traits.idleSlots();
    }

    /**
     * This, if a life may begin with it. Records of earlier releases may say more than that, so it is no condition of being read.
     *
     * @throws IllegalArgumentException when ranks have more slots than there are experts; when a name for people is not one line of
     *     at most 200 characters that does nothing to a terminal; when the initial placement holds an expert nowhere, or leaves slots
     *     idle that the engine must use. One that breaks other rules is what an engine may have, and is mended by the first decision
     */
    public Membership startable() {
        PlainText.require("model", shape.name());
        PlainText.require("engine", engine);
        if (topology.slotsPerRank() > shape.experts()) {
            throw new IllegalArgumentException(topology.slotsPerRank() + " slots on a rank for " + shape.experts()
                    + " experts: some would be on it twice");
        }
        initial.ifPresent(this::requireMendable);
        return this;
    }

    private void requireMendable(Placement placement) {
        List<String> lost = PlacementRules.lost(placement, shape);
        if (!lost.isEmpty()) {
            throw new IllegalArgumentException("the initial placement cannot be served or mended: "
                    + lost.stream().limit(5).collect(Collectors.joining(", ")) + (lost.size() > 5 ? ", and so on" : "")
                    + "; no rank could send its weights");
        }
        if (placement.idleSlots() > 0 && !idleSlots()) {
            throw new IllegalArgumentException("the initial placement leaves " + placement.idleSlots()
                    + " slots idle, and the engine uses every slot");
        }
    }

    /**
     * Whether an incarnation is so far ahead of the clock (more than a day) that it was no time in milliseconds: later lives that
     * are numbered by the clock could not follow it for years.
     */
    public static boolean aheadOfClock(long incarnation, long nowMillis) {
        return incarnation - MOST_AHEAD_MILLIS > nowMillis;
    }

    /** The same with windows of so many steps. */
    public Membership withWindowSteps(int steps) {
        return with(topology, gather, steps, bytesPerExpert, stagingBytesPerRank);
    }

    /** The same on other ranks, which gather in some way; what it started with is not kept where it does not fit them. */
    public Membership withTopology(Topology other, GatherMode way) {
        return with(other, way, windowSteps, bytesPerExpert, stagingBytesPerRank);
    }

    /** The same with experts of so many bytes, and room for at least one of them. */
    public Membership withBytesPerExpert(long bytes) {
        return with(topology, gather, windowSteps, bytes, Math.max(bytes, stagingBytesPerRank));
    }

    private Membership with(Topology ranks, GatherMode way, int steps, long bytes, long staging) {
        return new Membership(
                deployment,
                incarnation,
                shape,
                ranks,
                engine,
                phase,
                way,
                boundarySteps,
                steps,
                bytes,
                staging,
                traits,
                initial.filter(placement -> placement.slots() == ranks.slots()));
    }

    /** The same of an engine that can leave slots idle, or cannot. */
    public Membership withIdleSlots(boolean can) {
        return withTraits(traits.withIdleSlots(can));
    }

    /** The same of another kind of engine. */
    public Membership withTraits(EngineTraits other) {
        return started(other, initial);
    }

    /** The same starting with another placement, as version 0. */
    public Membership startingWith(Placement placement) {
        return started(traits, Optional.of(placement.withVersion(0)));
    }

    private Membership started(EngineTraits kind, Optional<Placement> placement) {
        return new Membership(
                deployment,
                incarnation,
                shape,
                topology,
                engine,
                phase,
                gather,
                boundarySteps,
                windowSteps,
                bytesPerExpert,
                stagingBytesPerRank,
                kind,
                placement);
    }

    /**
     * Whether samples may be of a kind: without a gather those of tokens sent are as the engine counts them; with one they are summed to
     * tokens computed, and come as they are only from ranks that have lost their group.
     */
    public boolean gives(LoadKind kind) {
        return switch (kind) {
            case COMPUTED -> traits.load() != LoadKind.ROUTED_TO || gather != GatherMode.NONE;
            case ROUTED_TO -> traits.load() == LoadKind.ROUTED_TO;
            case REPLICATED -> false;
        };
    }

    /** Boundaries in one window. */
    public int boundariesPerWindow() {
        return windowSteps / boundarySteps;
    }

    /** Experts that one batch may bring to a rank: what its staging memory holds, or any number where the engine moves weights by itself. */
    public int incomingPerRank() {
        return traits.movesWeights() ? Integer.MAX_VALUE : stagedExpertsPerRank();
    }

    /** Incoming experts that fit one rank's staging memory at once. */
    public int stagedExpertsPerRank() {
        return (int) Math.min(MOST_STAGED_EXPERTS, stagingBytesPerRank / bytesPerExpert);
    }
}
