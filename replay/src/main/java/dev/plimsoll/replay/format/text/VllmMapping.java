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
import java.util.OptionalInt;

/**
 * vLLM's initial mapping (pull request 41141): {@code {"num_redundant_experts", "num_slots", "initial_global_assignments": {"0": [slot],
 * ...}}}, layers with experts counted from 0.
 */
final class VllmMapping implements WritableFormat {
    static final String ASSIGNMENTS = "initial_global_assignments";

    /** The fields of one mapping, from a file of its own or a record of a log. */
    static final class Fields {
        private final String file;
        private final Assignments assignments;
        private int slots;
        private int redundant = -1;

        Fields(String file) {
            this.file = file;
            assignments = new Assignments(file);
        }

        /** Whether the field is one of a mapping, and has been read. */
        boolean take(String name, JsonText json) throws IOException {
            switch (name) {
                case ASSIGNMENTS -> assignments.read(json, ASSIGNMENTS);
                case "num_slots" -> slots = json.number(name, 1, SlotMaps.MOST);
                case "num_redundant_experts" -> redundant = json.number(name, 0, SlotMaps.MOST);
                default -> {
                    return false;
                }
            }
            return true;
        }

        /** Refuses what is incomplete. */
        void check(JsonText json) throws FormatException {
            if (!assignments.any() || slots == 0 || redundant < 0) {
                throw json.refuse("must have num_slots, num_redundant_experts and " + ASSIGNMENTS);
            }
            if (redundant >= slots) {
                throw json.refuse(redundant + " redundant experts of " + slots + " slots leave none");
            }
            assignments.requireFromZero(
                    "; TensorRT-LLM, whose keys are the model's own numbers, is --format trtllm-yaml");
        }

        JsonText.Table table() throws FormatException {
            return assignments.table(slots);
        }

        int experts(Given given) throws FormatException {
            int experts = slots - redundant;
            if (given.experts().isPresent() && given.experts().getAsInt() != experts) {
                throw new FormatException(
                        file,
                        0,
                        "is of " + experts + " experts, --experts is "
                                + given.experts().getAsInt());
            }
            return experts;
        }
    }

    @Override
    public String name() {
        return "vllm-mapping";
    }

    @Override
    public String description() {
        return "vLLM initial mapping (PR 41141), a map of experts for layers with experts, from 0";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        JsonNames names = JsonNames.of(input);
        return names.has(ASSIGNMENTS) && !names.has("record_type") && !names.has("layer_updates_per_iter");
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        Fields fields = new Fields(file);
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                if (!fields.take(name, json)) {
                    json.skip();
                }
            });
            fields.check(json);
            json.end();
        }
        JsonText.Table table = fields.table();
        int experts = fields.experts(given);
        FileLayers layers = FileLayers.moeOnly(file, table.rows().length, given);
        ExpertMap map = SlotMaps.divided(file, table, layers.rows(), OptionalInt.empty(), given, experts);
        List<String> notes = new ArrayList<>(layers.notes());
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
        to.check();
        to.loseLoad();
        to.noteMoeOnly();
        return Written.file(
                fields(JsonLayout.spaced().put("{"), map, recording.experts())
                        .put("}")
                        .bytes(),
                to.notes());
    }

    /** The three fields, without braces around them. */
    static JsonLayout fields(JsonLayout json, ExpertMap map, int experts) {
        json.put("\"num_redundant_experts\": ")
                .put(map.slots(0) - experts)
                .put(", \"num_slots\": ")
                .put(map.slots(0))
                .put(", \"" + ASSIGNMENTS + "\": {");
        for (int layer = 0; layer < map.layers(); layer++) {
            json.put((layer == 0 ? "\"" : ", \"") + layer + "\": ").list(map.layer(layer));
        }
        return json.put("}");
    }
}
