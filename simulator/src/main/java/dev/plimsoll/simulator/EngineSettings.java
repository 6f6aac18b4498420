package dev.plimsoll.simulator;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.model.Topology;
import java.time.Duration;
import java.util.Optional;

/**
 * What an engine simulates and how fast.
 *
 * @param model layers, experts and top-k
 * @param topology all ranks of the deployment, with enough slots for every expert
 * @param firstRank first rank of this process
 * @param ranks ranks of this process, one contiguous block
 * @param tokensPerStep tokens of the largest steps over all ranks; lane i belongs to rank i modulo the number of ranks
 * @param stepsPerSecond pace, 0 for as fast as possible
 * @param bytesPerExpert weights of one expert in one layer, a multiple of 8, at least 64
 * @param boundarySteps K, steps between two boundaries
 * @param stepTimeout bound of every wait within a step
 * @param device that steps are timed for; empty where nobody asks
 * @param share how routers share an expert's tokens among its replicas
 */
public record EngineSettings(
        ModelShape model,
        Topology topology,
        int firstRank,
        int ranks,
        int tokensPerStep,
        double stepsPerSecond,
        long bytesPerExpert,
        int boundarySteps,
        Duration stepTimeout,
        Optional<SimulatedDevice> device,
        ReplicaShare share) {

    /** 4 KiB: enough words to tear, small enough for hundreds of experts on a laptop. */
    public static final int DEFAULT_BYTES_PER_EXPERT = 4096;

    public static final int DEFAULT_BOUNDARY_STEPS = 16;

    /** Settings of steps that are not timed. */
    public EngineSettings(
            ModelShape model,
            Topology topology,
            int firstRank,
            int ranks,
            int tokensPerStep,
            double stepsPerSecond,
            long bytesPerExpert,
            int boundarySteps,
            Duration stepTimeout) {
        this(
                model,
                topology,
                firstRank,
                ranks,
                tokensPerStep,
                stepsPerSecond,
                bytesPerExpert,
                boundarySteps,
                stepTimeout,
                Optional.empty(),
                ReplicaShare.EVEN);
    }

    /** Settings of routers that share evenly. */
    public EngineSettings(
            ModelShape model,
            Topology topology,
            int firstRank,
            int ranks,
            int tokensPerStep,
            double stepsPerSecond,
            int bytesPerExpert,
            int boundarySteps,
            Duration stepTimeout,
            Optional<SimulatedDevice> device) {
        this(
                model,
                topology,
                firstRank,
                ranks,
                tokensPerStep,
                stepsPerSecond,
                bytesPerExpert,
                boundarySteps,
                stepTimeout,
                device,
                ReplicaShare.EVEN);
    }

    public EngineSettings {
        if (topology.slots() < model.experts()) {
            throw new IllegalArgumentException("model '" + model.name() + "' has " + model.experts() + " experts, but "
                    + topology.ranks() + " ranks × " + topology.slotsPerRank() + " slots hold " + topology.slots()
                    + ": give more slots per rank");
        }
        if (model.experts() > Short.MAX_VALUE) {
            throw new IllegalArgumentException("model '" + model.name() + "' has " + model.experts()
                    + " experts: picks hold up to " + Short.MAX_VALUE);
        }
        if (firstRank < 0 || ranks < 1 || firstRank + ranks > topology.ranks()) {
            throw new IllegalArgumentException("ranks [" + firstRank + ", " + (firstRank + ranks)
                    + ") are not a block of 0.." + (topology.ranks() - 1));
        }
        if (tokensPerStep < 1) {
            throw new IllegalArgumentException("tokensPerStep=" + tokensPerStep + ": need at least 1");
        }
        if (!(stepsPerSecond >= 0 && stepsPerSecond <= 1e6)) {
            throw new IllegalArgumentException("stepsPerSecond=" + stepsPerSecond + ": need 0 (no pace) to 1e6");
        }
        if (bytesPerExpert < 64 || bytesPerExpert % 8 != 0 || bytesPerExpert / 8 > WeightPattern.MAX_WORDS) {
            throw new IllegalArgumentException("bytesPerExpert=" + bytesPerExpert
                    + ": need a multiple of 8, from 64 to " + WeightPattern.MAX_WORDS * 8L);
        }
        if (boundarySteps < 1) {
            throw new IllegalArgumentException("boundarySteps=" + boundarySteps + ": need at least 1");
        }
        if (stepTimeout.isNegative() || stepTimeout.isZero()) {
            throw new IllegalArgumentException("stepTimeout=" + stepTimeout + ": need more than 0");
        }
        if (!AssignmentLayout.fits(model.layers(), topology.slotsPerRank(), model.experts())) {
            throw new IllegalArgumentException(
                    "layers " + model.layers() + " × slots per rank " + topology.slotsPerRank() + " × experts "
                            + model.experts() + " do not fit 31 bits: use more ranks");
        }
        Math.multiplyExact(Math.multiplyExact(tokensPerStep, model.layers()), model.topK());
    }

    /** All ranks in this process, with the defaults for the rest. */
    public static EngineSettings of(ModelShape model, Topology topology, int tokensPerStep, double stepsPerSecond) {
        return new EngineSettings(
                model,
                topology,
                0,
                topology.ranks(),
                tokensPerStep,
                stepsPerSecond,
                DEFAULT_BYTES_PER_EXPERT,
                DEFAULT_BOUNDARY_STEPS,
                Duration.ofSeconds(10));
    }

    /** The same with another block of ranks in this process. */
    public EngineSettings withRanks(int newFirstRank, int newRanks) {
        return with(newFirstRank, newRanks, device, share);
    }

    /** The same with routers that share in another way. */
    public EngineSettings withShare(ReplicaShare way) {
        return with(firstRank, ranks, device, way);
    }

    /** The same with steps timed for a device. */
    public EngineSettings on(SimulatedDevice timed) {
        return with(firstRank, ranks, Optional.of(timed), share);
    }

    private EngineSettings with(int first, int count, Optional<SimulatedDevice> timed, ReplicaShare way) {
        return new EngineSettings(
                model,
                topology,
                first,
                count,
                tokensPerStep,
                stepsPerSecond,
                bytesPerExpert,
                boundarySteps,
                stepTimeout,
                timed,
                way);
    }

    /** Assignments of the largest steps over all ranks. */
    public int assignmentsPerStep() {
        return tokensPerStep * model.layers() * model.topK();
    }

    /** Bytes that the weights of this process's ranks take. */
    public long weightsBytes() {
        return bytesPerExpert * cellsPerRank() * ranks;
    }

    int wordsPerExpert() {
        return (int) (bytesPerExpert / 8);
    }

    /** Layer × local slot cells of one rank. */
    int cellsPerRank() {
        return model.layers() * topology.slotsPerRank();
    }
}
