package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.ToWrite;
import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.Written;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * TensorRT-LLM's configuration of its load balancer, {@code moe_load_balancer.yaml}: the expert of every slot by the model's own layer
 * numbers. The size of the group is not in it.
 */
final class TrtllmYaml implements WritableFormat {
    private static final String ASSIGNMENTS = "initial_global_assignments";
    private static final String SLOTS = "num_slots";
    private static final String UPDATES = "layer_updates_per_iter";
    private static final int HEAD_BYTES = 1 << 16;

    /** A key at the beginning of a line, as a block mapping has it. */
    private static final Pattern KEY =
            Pattern.compile("(?m)^['\"]?(" + ASSIGNMENTS + "|" + SLOTS + "|" + UPDATES + ")['\"]?[ \\t]*:");

    @Override
    public String name() {
        return "trtllm-yaml";
    }

    @Override
    public String description() {
        return "TensorRT-LLM load balancer YAML, a map of experts by the model's own layer numbers";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        JsonNames names = JsonNames.of(input);
        if (names.object()) {
            // JSON is YAML: what does not say whose it is is both's until somebody says.
            return names.has(ASSIGNMENTS) && !names.has("num_redundant_experts") && !names.has("record_type");
        }
        if (input.directory()) {
            return false;
        }
        String head = new String(input.head(input.files().get(0), HEAD_BYTES), StandardCharsets.ISO_8859_1);
        return KEY.matcher(head).find() && (head.contains(ASSIGNMENTS) || head.contains(SLOTS));
    }

    private static final class Document {
        final Assignments assignments;
        int slots;
        int updates;

        Document(String file) {
            assignments = new Assignments(file);
        }
    }

    private static Document yaml(String file, byte[] bytes) throws IOException {
        Document document = new Document(file);
        YamlText yaml = new YamlText(file, bytes);
        yaml.mapping("the document", name -> {
            switch (name) {
                case SLOTS -> document.slots = (int) yaml.whole(SLOTS, 1, SlotMaps.MOST);
                case UPDATES -> document.updates = (int) yaml.whole(UPDATES, 0, FileLayers.MOST);
                case ASSIGNMENTS ->
                    yaml.mapping(ASSIGNMENTS, layer -> {
                        long at = yaml.at();
                        long[] experts = yaml.wholes(ASSIGNMENTS + "." + layer, 0, SlotMaps.MOST - 1);
                        document.assignments.put(layer, at, experts, ASSIGNMENTS);
                    });
                default -> throw yaml.refuse(unknown(name));
            }
        });
        yaml.end();
        return document;
    }

    /** JSON is YAML too. */
    private static Document json(String file, byte[] bytes) throws IOException {
        Document document = new Document(file);
        try (JsonText json = new JsonText(file, bytes)) {
            json.object("the document", name -> {
                switch (name) {
                    case SLOTS -> document.slots = json.number(SLOTS, 1, SlotMaps.MOST);
                    case UPDATES -> document.updates = json.number(UPDATES, 0, FileLayers.MOST);
                    case ASSIGNMENTS -> document.assignments.read(json, ASSIGNMENTS);
                    default -> throw json.refuse(unknown(name));
                }
            });
            json.end();
        }
        return document;
    }

    private static String unknown(String name) {
        return "'" + (name.length() > 40 ? name.substring(0, 40) + "…" : name).replaceAll("\\p{Cntrl}", "?")
                + "' is no key of TensorRT-LLM's load balancer, which are " + SLOTS + ", " + ASSIGNMENTS + " and "
                + UPDATES;
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        Document document =
                JsonNames.of(input).object() ? json(file, input.bytes(file)) : yaml(file, input.bytes(file));
        if (document.slots == 0 || !document.assignments.any()) {
            throw new FormatException(
                    file,
                    0,
                    "must have " + SLOTS + " and " + ASSIGNMENTS + ": without assignments TensorRT-LLM starts from an"
                            + " order of its own, and there is nothing to read");
        }
        JsonText.Table table = document.assignments.table(document.slots);
        int experts = SlotMaps.experts(file, table, given);
        FileLayers layers = FileLayers.absolute(
                file, List.copyOf(document.assignments.experts().keySet()), given);
        ExpertMap map = SlotMaps.divided(file, table, layers.rows(), OptionalInt.empty(), given, experts);
        List<String> notes = new ArrayList<>(layers.notes());
        if (document.updates > 0) {
            notes.add(UPDATES + " is " + document.updates
                    + ": TensorRT-LLM starts with this map and changes it as it runs");
        }
        notes.addAll(SlotMaps.notes(map));
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                experts,
                given.ranks(),
                given.topK(),
                List.of(),
                List.of(map),
                notes);
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        ExpertMap map = to.map();
        to.requireEven(map);
        List<Integer> ids = to.modelLayerIds();
        to.check();
        to.loseLoad();
        to.note("keys are the model's own layer numbers, " + FileLayers.words(ids));
        to.note("it does not say how many ranks there are: TensorRT-LLM must be started with " + map.ranks() + "; "
                + UPDATES + " is 0, a map that stays");
        StringBuilder text = new StringBuilder(ASSIGNMENTS + ":\n");
        for (int layer = 0; layer < map.layers(); layer++) {
            text.append("  ")
                    .append(ids.get(layer))
                    .append(": [")
                    .append(Arrays.stream(map.layer(layer))
                            .mapToObj(String::valueOf)
                            .collect(Collectors.joining(", ")))
                    .append("]\n");
        }
        text.append(UPDATES + ": 0\n" + SLOTS + ": ").append(map.slots(0)).append('\n');
        return Written.file(text.toString().getBytes(StandardCharsets.UTF_8), to.notes());
    }
}
