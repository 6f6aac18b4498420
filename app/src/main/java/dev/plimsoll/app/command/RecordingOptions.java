package dev.plimsoll.app.command;

import dev.plimsoll.replay.format.Formats;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.GivenMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a file of an engine does not say of itself, and is never guessed. */
public final class RecordingOptions {
    private static final int MOST = 65_536;
    private static final Path AT_START = Path.of("start");

    @Option(names = "--ranks", paramLabel = "R", description = "Ranks of the group, where a file does not say.")
    @Nullable
    private Integer ranks;

    @Option(names = "--experts", paramLabel = "E", description = "Experts per layer, where a file does not say.")
    @Nullable
    private Integer experts;

    @Option(names = "--top-k", paramLabel = "K", description = "Experts per token, where a file does not say.")
    @Nullable
    private Integer topK;

    @Option(
            names = "--layer-ids",
            paramLabel = "ID,…",
            split = ",",
            description = "The model's own numbers of its layers with experts, such as 3..60.")
    private List<String> layerIds = new ArrayList<>();

    @Option(
            names = "--hidden-layers",
            paramLabel = "N",
            description = "Layers of the model, those without experts too: formats with a row for each need it.")
    @Nullable
    private Integer hiddenLayers;

    @Option(
            names = "--model-key",
            paramLabel = "NAME",
            description = "Which model, where a file has maps of several or must name one.")
    @Nullable
    private String modelKey;

    @Option(
            names = "--map",
            paramLabel = "FILE|start",
            description =
                    "Map of experts that load of slots was counted under, where its file does not say: a file with a"
                            + " map, or 'start' for the one that engines start with and no redundancy.")
    @Nullable
    private Path map;

    /** Notes what is out of range or contradicts itself. */
    public void check(Problems problems) {
        positive(problems, "--ranks", ranks);
        positive(problems, "--experts", experts);
        positive(problems, "--top-k", topK);
        positive(problems, "--hidden-layers", hiddenLayers);
        problems.require(modelKey == null || !modelKey.isBlank(), "--model-key is empty");
        problems.require(
                map == null || map.equals(AT_START) || Files.isReadable(map), "--map " + map + " cannot be read");
        try {
            List<Integer> ids = LayerIds.parse(layerIds);
            for (int i = 1; i < ids.size(); i++) {
                if (ids.get(i) <= ids.get(i - 1)) {
                    problems.add("--layer-ids must ascend: " + ids.get(i) + " follows " + ids.get(i - 1));
                    return;
                }
            }
            problems.require(
                    hiddenLayers == null || ids.isEmpty() || ids.get(ids.size() - 1) < hiddenLayers,
                    "--layer-ids names a layer beyond --hidden-layers " + hiddenLayers + ", which are counted from 0");
        } catch (IllegalArgumentException e) {
            problems.add("--layer-ids: ", e);
        }
    }

    private static void positive(Problems problems, String option, @Nullable Integer value) {
        problems.require(
                value == null || (value >= 1 && value <= MOST), option + " must be 1 to " + MOST + ", not " + value);
    }

    /**
     * What was said.
     *
     * @throws IOException when --map names a file that has no map, or is malformed
     */
    public Given given() throws IOException {
        Given given = new Given(
                optional(ranks),
                optional(experts),
                optional(topK),
                layerIds.isEmpty() ? Optional.empty() : Optional.of(LayerIds.parse(layerIds)));
        if (hiddenLayers != null) {
            given = given.withHiddenLayers(hiddenLayers);
        }
        if (modelKey != null) {
            given = given.withModelKey(modelKey);
        }
        return map == null ? given : given.withMap(known(map, given));
    }

    private static GivenMap known(Path map, Given given) throws IOException {
        if (map.equals(AT_START)) {
            return new GivenMap.AtStart();
        }
        return new GivenMap.Known(Formats.readMap(map, given));
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }
}
