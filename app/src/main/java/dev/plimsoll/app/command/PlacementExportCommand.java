package dev.plimsoll.app.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.plimsoll.model.Placement;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
        Placement placement = now.placement().get();
        Map<PlacementFiles.Spec, List<String>> written = new LinkedHashMap<>();
        boolean all = true;
        for (String text : to) {
            PlacementFiles.Spec file = PlacementFiles.Spec.parse(text);
            try {
                written.put(file, PlacementFiles.write(file, placement, PlacementTarget.of(now.members(), given())));
            } catch (CannotHoldException e) {
                all = false;
                err.println("plimsoll: " + text + " " + e.getMessage());
            }
        }
        err.flush();
        print(now, placement, written);
        return all ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private void print(SettledNow now, Placement placement, Map<PlacementFiles.Spec, List<String>> written) {
        PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
        String hash = String.format(Locale.ROOT, "%016x", placement.hash());
        if (output == OutputForm.JSON) {
            ObjectNode root = JsonNodeFactory.instance.objectNode();
            root.put("deployment", now.members().deployment().id());
            root.put("incarnation", now.members().incarnation());
            root.put("version", placement.version());
            root.put("hash", hash);
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
            written.forEach((file, notes) -> {
                out.println("wrote  " + file.path() + ", " + file.kind().use());
                notes.forEach(note -> out.println("       " + note));
            });
        }
        out.flush();
    }
}
