package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
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
import org.jspecify.annotations.Nullable;

/** SGLang's {@code --init-expert-location} with a map: {@code {"physical_to_logical_map": [hidden layer][slot]}}. */
final class SglangMap implements WritableFormat {
    private static final String MAP = "physical_to_logical_map";

    @Override
    public String name() {
        return "sglang-map";
    }

    @Override
    public String description() {
        return "SGLang --init-expert-location, a map of experts for all hidden layers";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        JsonNames names = JsonNames.of(input);
        return names.has(MAP) && !names.has("format");
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        JsonText.@Nullable Table[] found = new JsonText.Table[1];
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                if (name.equals(MAP)) {
                    found[0] = json.table(MAP, 0, SlotMaps.MOST - 1);
                } else {
                    json.skip();
                }
            });
            if (found[0] == null) {
                throw json.refuse("has no " + MAP);
            }
            json.end();
        }
        JsonText.Table table = found[0];
        int experts = SlotMaps.experts(file, table, given);
        FileLayers layers = FileLayers.allHidden(file, table.rows().length, new boolean[0], given);
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
        List<Integer> ids = to.modelLayerIds();
        int hidden = to.hiddenLayers(ids);
        to.check();
        to.loseLoad();
        to.noteHidden(ids, hidden, "with the trivial map, which SGLang never looks at");
        return Written.file(
                JsonLayout.spaced()
                        .put("{\"" + MAP + "\": ")
                        .table(ToWrite.hiddenSlots(map, ids, hidden, recording.experts()))
                        .put("}")
                        .bytes(),
                to.notes());
    }
}
