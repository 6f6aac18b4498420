package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Repair;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The placement that an engine starts with, read from a file of its own. */
final class InitialPlacementOption {
    private static final long MOST_BYTES = 64L << 20;

    @Option(
            names = "--initial-placement",
            paramLabel = "FILE",
            description = "The map of experts that the engine starts with: --init-expert-location of SGLang,"
                    + " expert_map_path of vllm-ascend, any map that 'convert' reads, or what 'placement show --output"
                    + " json' prints (default: slot modulo experts).")
    @Nullable
    private Path file;

    private Optional<Placement> read = Optional.empty();

    boolean given() {
        return file != null;
    }

    /** Reads the file for a deployment; what is wrong with it is a problem. */
    void check(Problems problems, ModelShape shape, Topology topology) {
        if (file == null) {
            return;
        }
        String what = "--initial-placement " + file + ": ";
        if (!Files.isReadable(file)) {
            problems.add(what + "cannot be read");
            return;
        }
        try {
            read = Optional.of(fitting(placement(file, shape, topology), shape, topology));
        } catch (IOException | IllegalArgumentException e) {
            problems.add(what + e.getMessage());
        }
    }

    /** The membership, starting as the file says; as it is where there is none. */
    Membership of(Membership members) {
        return read.map(members::startingWith).orElse(members);
    }

    /** Notes slots with weights of no expert: an engine that is simulated has none. */
    void checkKnown(Problems problems, ModelShape shape) {
        read.ifPresent(placement -> {
            for (int layer = 0; layer < placement.layers(); layer++) {
                int[] experts = placement.layer(layer);
                for (int slot = 0; slot < experts.length; slot++) {
                    if (experts[slot] >= shape.experts()) {
                        problems.add("--initial-placement: slot " + slot + " of layer " + layer + " holds expert "
                                + experts[slot] + ", and the simulated engine has weights of " + shape.experts());
                        return;
                    }
                }
            }
        });
    }

    /** Notes a start that its first decision could not mend, as it would bring more to a rank than staging memory holds. */
    static void checkRepair(Problems problems, Membership members) {
        int most = Repair.most(members.start(), members.shape(), members.topology());
        problems.require(
                most <= members.incomingPerRank(),
                "--initial-placement has " + most + " slots to be mended on one rank in one layer, and --staging-bytes"
                        + " has room for " + members.stagedExpertsPerRank() + ": give it "
                        + most * members.bytesPerExpert());
    }

    private static Placement placement(Path file, ModelShape shape, Topology topology) throws IOException {
        if (Files.isRegularFile(file) && Files.size(file) > MOST_BYTES) {
            throw new IOException("has " + Files.size(file) + " bytes, more than any map");
        }
        Optional<Placement> ours = ours(file);
        if (ours.isPresent()) {
            return ours.get();
        }
        ExpertMap map = Formats.readMap(
                file,
                new Given(
                        OptionalInt.of(topology.ranks()),
                        OptionalInt.of(shape.experts()),
                        OptionalInt.empty(),
                        Optional.of(shape.layerIds())));
        if (!map.even() || map.ranks() != topology.ranks()) {
            throw new IOException("has " + map.ranks() + " ranks"
                    + (map.even() ? "" : " with different numbers of slots") + ", the deployment has "
                    + topology.ranks() + " with " + topology.slotsPerRank() + " slots each");
        }
        int[][] layers = new int[map.layers()][];
        for (int layer = 0; layer < layers.length; layer++) {
            layers[layer] = map.layer(layer);
        }
        return Placement.of(0, layers);
    }

    /** What {@code placement show} prints, if it is that. */
    private static Optional<Placement> ours(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            return Optional.empty(); // another format, perhaps no JSON at all
        }
        JsonNode layers = root == null ? null : root.get("placement");
        if (layers == null || !layers.isArray()) {
            return Optional.empty();
        }
        int[][] marked = new int[layers.size()][];
        for (int layer = 0; layer < marked.length; layer++) {
            marked[layer] = new int[layers.get(layer).size()];
            for (int slot = 0; slot < marked[layer].length; slot++) {
                marked[layer][slot] = number(layers.get(layer).get(slot), layer, Integer.MAX_VALUE);
            }
            for (JsonNode idle : root.path("idle").path(layer)) {
                int slot = number(idle, layer, marked[layer].length);
                marked[layer][slot] = marked[layer][slot] < 0 ? marked[layer][slot] : ~marked[layer][slot];
            }
        }
        return Optional.of(Placement.ofMarked(0, marked));
    }

    private static int number(JsonNode node, int layer, int bound) throws IOException {
        if (!node.isInt() || node.intValue() < 0 || node.intValue() >= bound) {
            throw new IOException("layer " + layer + " has " + node + ", which is no expert or slot");
        }
        return node.intValue();
    }

    private static Placement fitting(Placement placement, ModelShape shape, Topology topology) throws IOException {
        if (placement.layers() != shape.layers() || placement.slots() != topology.slots()) {
            throw new IOException("has " + placement.layers() + " layers × " + placement.slots()
                    + " slots, the deployment " + shape.layers() + " × " + topology.slots());
        }
        return placement;
    }
}
