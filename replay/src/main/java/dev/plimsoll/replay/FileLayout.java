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
 * @param redundant slots beyond the experts; one per rank, or what makes slots divide evenly, where it is not said
 * @param nodes 1 where it is not said
 * @param bytesPerExpert empty where nobody knows
 */
public record FileLayout(OptionalInt ranks, OptionalInt redundant, OptionalInt nodes, OptionalLong bytesPerExpert) {
    /** Room for incoming weights on a rank, as simulated ranks have it. */
    private static final int STAGED_EXPERTS = 64;

    /** Nothing was said. */
    public static final FileLayout UNKNOWN =
            new FileLayout(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalLong.empty());

    /**
     * The deployment that a file would be of.
     *
     * @throws IllegalArgumentException when the ranks are missing or cannot share the slots: names the option
     */
    Membership members(Path file, int experts, int topK, List<Integer> layerIds) {
        int ofRanks = ranks.orElseThrow(() ->
                new IllegalArgumentException(file + " does not say on how many ranks it was recorded: give --ranks"));
        int filling = Math.floorMod(-experts, Math.max(1, ofRanks));
        EpConfiguration configuration =
                new EpConfiguration(ofRanks, redundant.orElse(filling == 0 ? ofRanks : filling), nodes.orElse(1));
        List<String> problems = configuration.problems(name(file), experts);
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", problems));
        }
        return members(file, experts, topK, layerIds, configuration.topology(experts));
    }

    /** With a topology that the file itself says. */
    Membership members(Path file, int experts, int topK, List<Integer> layerIds, Topology topology) {
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
                1,
                bytes,
                Math.multiplyExact(bytes, STAGED_EXPERTS));
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
