package dev.plimsoll.replay;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import dev.plimsoll.replay.score.EpConfiguration;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What files do not say of a deployment: how many ranks on how many nodes, and what an expert weighs.
 *
 * @param nodes 1 where it is not said
 * @param bytesPerExpert empty where nobody knows
 */
public record FileLayout(OptionalInt ranks, OptionalInt nodes, OptionalLong bytesPerExpert) {
    /** Room for incoming weights on a rank, as simulated ranks have it. */
    private static final int STAGED_EXPERTS = 64;

    /**
     * The deployment that a file without a placement would be of: with one redundant slot on each rank, or as many as make slots
     * divide evenly.
     *
     * @throws IllegalArgumentException when the ranks are missing or cannot share the slots: names the option
     */
    Membership members(Path file, int experts, int topK, List<Integer> layerIds, int windowSteps) {
        int ofRanks = ranks.orElseThrow(() ->
                new IllegalArgumentException(file + " does not say on how many ranks it was recorded: give --ranks"));
        int filling = Math.floorMod(-experts, Math.max(1, ofRanks));
        EpConfiguration configuration =
                new EpConfiguration(ofRanks, filling == 0 ? ofRanks : filling, nodesOf(ofRanks));
        List<String> problems = configuration.problems(name(file), experts);
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", problems));
        }
        return members(file, experts, topK, layerIds, windowSteps, configuration.topology(experts));
    }

    /** With a topology that the file itself says. */
    Membership members(Path file, int experts, int topK, List<Integer> layerIds, int windowSteps, Topology topology) {
        long bytes = bytesPerExpert.orElse(1);
        return new Membership(
                deployment(file),
                1,
                new ModelShape(name(file), experts, topK, layerIds),
                topology,
                "file",
                Phase.ALL,
                GatherMode.HOST,
                1,
                windowSteps,
                bytes,
                Math.multiplyExact(bytes, STAGED_EXPERTS));
    }

    /** Those that were given, where ranks divide evenly over them. */
    int nodesOf(int ofRanks) {
        int given = nodes.orElse(1);
        return given >= 1 && ofRanks % given == 0 ? given : 1;
    }

    static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    /** A name that a deployment may have. */
    private static Deployment deployment(Path file) {
        String name = name(file).replaceAll("[^A-Za-z0-9._-]", "-").replaceFirst("^[^A-Za-z0-9]+", "");
        return new Deployment(name.isEmpty() ? "file" : name.substring(0, Math.min(200, name.length())));
    }

    /** What people must know of a deployment that files have not told of. */
    List<String> notes(Membership members) {
        return List.of(
                "a file has no decisions: replay begins at the placement that the file has, or at the one that engines start with",
                "ranks have room for " + STAGED_EXPERTS + " experts on their way at once",
                bytesPerExpert.isPresent()
                        ? "an expert of a layer weighs " + members.bytesPerExpert() + " bytes, as given"
                        : "what an expert weighs is not known: bytes are 0, and moves are taken to cost flips alone; give --bytes-per-expert");
    }
}
