package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Survivors;
import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.placement.PlacementFiles;
import dev.plimsoll.replay.format.placement.PlacementTarget;
import dev.plimsoll.replay.source.SettledNow;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** From the topics to a file that an engine starts with. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Write a deployment's settled placement as files that engines start with.",
            "Each is checked by the rules of placements and read back before it is put in place. Exits with 1 where"
                    + " nothing has settled yet."
        })
public final class PlacementExportCommand implements Callable<Integer>, Validated {
    @Mixin
    private SettledOptions options = new SettledOptions();

    @Option(
            names = "--to",
            paramLabel = "KIND:FILE",
            required = true,
            description = "File to write, replacing what is there; KIND is sglang, trtllm, vllm-ascend, vllm, hygon,"
                    + " fastdeploy, lightllm, omni or npy. May be given several times.")
    private List<String> to = new ArrayList<>();

    @Option(
            names = "--hidden-layers",
            paramLabel = "N",
            description = "Layers of the model, those without experts too: sglang and fastdeploy have a row for each.")
    @Nullable
    private Integer hiddenLayers;

    @Option(names = "--model-key", paramLabel = "NAME", description = "Class of the model, which hygon names.")
    @Nullable
    private String modelKey;

    @Option(
            names = "--without-ranks",
            paramLabel = "RANK,…",
            split = ",",
            description =
                    "Ranks that will not be there: the others, numbered anew, keep what they hold, and what was on"
                            + " these alone comes from the checkpoint.")
    private List<Integer> withoutRanks = new ArrayList<>();

    @Option(
            names = "--joining-ranks",
            paramLabel = "N",
            defaultValue = "0",
            description = "Ranks that come to them, behind the others (default: ${DEFAULT-VALUE}).")
    private int joiningRanks;

    @Option(
            names = "--slots-per-rank",
            paramLabel = "N",
            description = "Slots of each rank when it starts again (default: as many as before).")
    @Nullable
    private Integer slotsPerRank;

    @Option(names = "--output", defaultValue = "text", description = "text or json (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Spec
    @Nullable
    private CommandSpec spec;

    @Override
    public void check(Problems problems) {
        options.check(problems);
        problems.require(!to.isEmpty(), "--to is missing: KIND:FILE, such as sglang:placement.json");
        for (String text : to) {
            try {
                Path directory =
                        PlacementFiles.Spec.parse(text).path().toAbsolutePath().getParent();
                problems.require(
                        directory != null && Files.isWritable(directory),
                        "--to " + text + " is in no directory that can be written");
            } catch (IllegalArgumentException e) {
                problems.add("--to: ", e);
            }
        }
        problems.require(
                withoutRanks.stream().noneMatch(rank -> rank < 0 || rank > 65_535),
                "--without-ranks must name ranks from 0 on, not " + withoutRanks);
        problems.require(
                joiningRanks >= 0 && joiningRanks <= 65_536, "--joining-ranks must be 0 to 65536, not " + joiningRanks);
        problems.require(
                slotsPerRank == null || slotsPerRank >= 1, "--slots-per-rank must be at least 1, not " + slotsPerRank);
        problems.require(
                hiddenLayers == null || (hiddenLayers >= 1 && hiddenLayers <= 65_536),
                "--hidden-layers must be 1 to 65536, not " + hiddenLayers);
    }

    private Given given() {
        Given given = hiddenLayers == null ? Given.NOTHING : Given.NOTHING.withHiddenLayers(hiddenLayers);
        return modelKey == null ? given : given.withModelKey(modelKey);
    }

    @Override
    public Integer call() throws IOException {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification of a command before it runs");
        }
        PrintWriter err = spec.commandLine().getErr();
        SettledNow now = options.read();
        if (now.placement().isEmpty()) {
            err.println("plimsoll: " + SettledOptions.none(now));
            err.flush();
            return ExitCode.SOFTWARE;
        }
        Optional<Survivors> survivors = survivors(now, now.placement().get());
        Placement placement =
                survivors.map(Survivors::start).orElse(now.placement().get());
        PlacementTarget target = survivors
                .map(left -> target(now, left.topology()))
                .orElseGet(() -> PlacementTarget.of(now.members(), given()));
        Map<PlacementFiles.Spec, List<String>> written = new LinkedHashMap<>();
        boolean all = true;
        for (String text : to) {
            PlacementFiles.Spec file = PlacementFiles.Spec.parse(text);
            try {
                written.put(file, PlacementFiles.write(file, placement, target));
            } catch (CannotHoldException e) {
                all = false;
                err.println("plimsoll: " + text + " " + e.getMessage());
            }
        }
        err.flush();
        print(now, placement, survivors, written);
        return all ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    /** What ranks start with that are not those of before; empty where they are. */
    private Optional<Survivors> survivors(SettledNow now, Placement settled) throws IOException {
        Topology before = now.members().topology();
        if (withoutRanks.isEmpty() && joiningRanks == 0 && slotsPerRank == null) {
            return Optional.empty();
        }
        BitSet gone = new BitSet();
        withoutRanks.forEach(gone::set);
        try {
            return Optional.of(Survivors.of(
                    settled,
                    now.members().shape(),
                    before,
                    gone,
                    joiningRanks,
                    slotsPerRank == null ? before.slotsPerRank() : slotsPerRank));
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage() + " (--without-ranks, --joining-ranks, --slots-per-rank)", e);
        }
    }

    private PlacementTarget target(SettledNow now, Topology topology) {
        PlacementTarget before = PlacementTarget.of(now.members(), given());
        return new PlacementTarget(
                before.layers(),
                before.experts(),
                topology,
                before.layerIds(),
                before.hiddenLayers(),
                before.modelKey(),
                before.load());
    }

    /** The experts that nobody who goes on holds, layer by layer. */
    private static Map<Integer, List<Integer>> lost(Survivors survivors) {
        Map<Integer, List<Integer>> lost = new TreeMap<>();
        survivors
                .lost()
                .forEach(load -> lost.computeIfAbsent(load.layer(), none -> new ArrayList<>())
                        .add(load.expert()));
        return lost;
    }

    private void print(
            SettledNow now,
            Placement placement,
            Optional<Survivors> survivors,
            Map<PlacementFiles.Spec, List<String>> written) {
        PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
        String hash = String.format(Locale.ROOT, "%016x", placement.hash());
        if (output == OutputForm.JSON) {
            ObjectNode root = JsonNodeFactory.instance.objectNode();
            root.put("deployment", now.members().deployment().id());
            root.put("incarnation", now.members().incarnation());
            root.put("version", placement.version());
            root.put("hash", hash);
            survivors.ifPresent(left -> {
                root.put("ranks", left.topology().ranks());
                root.put("loads", left.loads().size());
                ObjectNode lost = root.putObject("fromCheckpoint");
                lost(left).forEach((layer, experts) -> {
                    var list = lost.putArray(String.valueOf(layer));
                    experts.forEach(list::add);
                });
            });
            var files = root.putArray("files");
            written.forEach((file, notes) -> {
                ObjectNode node = files.addObject();
                node.put("kind", file.kind().word());
                node.put("file", file.path().toString());
                var list = node.putArray("notes");
                notes.forEach(list::add);
            });
            out.println(root);
        } else {
            out.println(now.members().deployment() + " v" + placement.version() + ", hash " + hash + ", "
                    + placement.layers() + " layers × " + placement.slots() + " slots");
            survivors.ifPresent(left -> {
                out.println("for    " + left.topology().ranks() + " ranks, of which "
                        + (left.topology().ranks() - joiningRanks) + " go on: "
                        + left.loads().size() + " of "
                        + placement.layers() * placement.slots() + " slots get weights that their rank does not hold");
                lost(left)
                        .forEach((layer, experts) -> out.println(
                                "       from the checkpoint alone: layer " + layer + ", experts " + experts));
            });
            written.forEach((file, notes) -> {
                out.println("wrote  " + file.path() + ", " + file.kind().use());
                notes.forEach(note -> out.println("       " + note));
            });
        }
        out.flush();
    }
}
