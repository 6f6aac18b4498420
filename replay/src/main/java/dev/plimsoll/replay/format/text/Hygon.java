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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The expert map of HYGON's plug-in for vLLM: version 1 of one model, version 2 of several, such as a model and its part that predicts
 * further tokens, by key. Written is version 1.
 */
final class Hygon implements WritableFormat {
    private static final String FORMAT = "vllm_offline_eplb_physical_to_logical";
    private static final String BY_MODEL = FORMAT + "_by_model";
    private static final String MAP = "physical_to_logical_map";

    @Override
    public String name() {
        return "hygon";
    }

    @Override
    public String description() {
        return "HYGON plug-in for vLLM, a map of experts for layers with experts, from 0";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return JsonNames.of(input).format().startsWith(FORMAT);
    }

    /** One model's fields; 0 where the file does not have one. */
    private static final class Model {
        long at;
        int layers;
        int experts;
        int slots;
        int redundant = -1;
        JsonText.@Nullable Table map;

        boolean take(String name, JsonText json) throws IOException {
            switch (name) {
                case "num_moe_layers" -> layers = json.number(name, 1, FileLayers.MOST);
                case "num_logical_experts" -> experts = json.number(name, 1, SlotMaps.MOST);
                case "num_physical_experts" -> slots = json.number(name, 1, SlotMaps.MOST);
                case "num_redundant_experts" -> redundant = json.number(name, 0, SlotMaps.MOST);
                case MAP -> map = json.table(MAP, 0, SlotMaps.MOST - 1);
                default -> {
                    return false;
                }
            }
            return true;
        }
    }

    private static final class Document {
        int version;
        String format = "";
        final Model only = new Model();
        final Map<String, Model> models = new TreeMap<>();
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        Document document = new Document();
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                switch (name) {
                    case "version" -> document.version = json.number("version", 1, 2);
                    case "format" -> document.format = json.text("format");
                    case "model_maps" ->
                        json.object("model_maps", key -> document.models.put(key, model(json, "model_maps")));
                    default -> {
                        if (!document.only.take(name, json)) {
                            json.skip();
                        }
                    }
                }
            });
            if (!document.format.equals(document.version == 2 ? BY_MODEL : FORMAT)) {
                throw json.refuse("version " + document.version + " must be of format "
                        + (document.version == 2 ? BY_MODEL : FORMAT));
            }
            json.end();
        }
        List<String> notes = new ArrayList<>();
        Model model = document.version == 2 ? chosen(file, document.models, given, notes) : document.only;
        return recording(input.name(), file, model, given, notes);
    }

    private static Model model(JsonText json, String what) throws IOException {
        Model model = new Model();
        model.at = json.at();
        json.object("a model of " + what, name -> {
            if (!model.take(name, json)) {
                json.skip();
            }
        });
        return model;
    }

    private static Model chosen(String file, Map<String, Model> models, Given given, List<String> notes)
            throws FormatException {
        if (models.isEmpty()) {
            throw new FormatException(file, 0, "has no model_maps");
        }
        if (given.modelKey().isEmpty() && models.size() > 1) {
            throw new FormatException(
                    file, 0, "has maps of " + plain(models.keySet().toString()) + ": choose one by --model-key");
        }
        String key = given.modelKey().orElseGet(() -> models.keySet().iterator().next());
        Model model = models.get(key);
        if (model == null) {
            throw new FormatException(
                    file, 0, "has maps of " + plain(models.keySet().toString()) + ", none of --model-key " + key);
        }
        notes.add("the map of " + plain(key) + " was read, of " + models.size());
        return model;
    }

    private static String plain(String name) {
        String said = name.replaceAll("\\p{Cntrl}", "?");
        return said.length() > 200 ? said.substring(0, 200) + "…" : said;
    }

    private Recording recording(String source, String file, Model model, Given given, List<String> notes)
            throws FormatException {
        JsonText.@Nullable Table table = model.map;
        if (table == null) {
            throw new FormatException(file, model.at, "has no " + MAP);
        }
        if ((model.layers > 0 && model.layers != table.rows().length)
                || (model.slots > 0 && model.slots != table.columns())
                || (model.redundant >= 0 && model.experts > 0 && model.experts + model.redundant != table.columns())) {
            throw new FormatException(
                    file,
                    table.at()[0],
                    MAP + " is " + table.shape() + ", the file says " + model.layers + " layers of " + model.experts
                            + " experts and " + model.redundant + " redundant ones in " + model.slots + " slots");
        }
        if (model.experts > 0 && given.experts().orElse(model.experts) != model.experts) {
            throw new FormatException(
                    file,
                    model.at,
                    "is of " + model.experts + " experts, --experts is "
                            + given.experts().getAsInt());
        }
        int experts = model.experts > 0 ? model.experts : SlotMaps.experts(file, table, given);
        FileLayers layers = FileLayers.moeOnly(file, table.rows().length, given);
        ExpertMap map = SlotMaps.divided(file, table, layers.rows(), OptionalInt.empty(), given, experts);
        notes.addAll(layers.notes());
        notes.addAll(SlotMaps.notes(map));
        return new Recording(
                source,
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
        to.require(
                given.modelKey().isPresent(), "it names the class of the model that it is for: --model-key is needed");
        to.check();
        to.loseLoad();
        to.noteMoeOnly();
        String model = given.modelKey().orElseThrow();
        return Written.file(
                JsonLayout.spaced()
                        .put("{\"version\": 1, \"format\": \"" + FORMAT + "\", \"model_name\": ")
                        .quoted(model)
                        .put(", \"model_class\": ")
                        .quoted(model)
                        .put(", \"num_moe_layers\": ")
                        .put(map.layers())
                        .put(", \"num_logical_experts\": ")
                        .put(recording.experts())
                        .put(", \"num_physical_experts\": ")
                        .put(map.slots(0))
                        .put(", \"num_redundant_experts\": ")
                        .put(map.slots(0) - recording.experts())
                        .put(", \"" + MAP + "\": ")
                        .table(ToWrite.slots(map))
                        .put("}")
                        .bytes(),
                to.notes());
    }
}
