package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.format.ToWrite;
import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.Written;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * SGLang's {@code --init-expert-location} with load, from which it plans at start: {@code {"logical_count": [hidden layer][expert]}},
 * or {@code [step][hidden layer][expert]}.
 */
final class SglangCount implements WritableFormat {
    private static final String COUNT = "logical_count";

    @Override
    public String name() {
        return "sglang-count";
    }

    @Override
    public String description() {
        return "SGLang --init-expert-location, load of experts in all hidden layers";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return JsonNames.of(input).has(COUNT);
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        List<JsonText.Table> tables = new ArrayList<>();
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                if (name.equals(COUNT)) {
                    tables.addAll(json.tables(COUNT, 0, Counts.MOST));
                } else {
                    json.skip();
                }
            });
            if (tables.isEmpty()) {
                throw json.refuse("has no " + COUNT);
            }
            json.end();
        }
        Counts.requireExperts(file, tables.get(0), given.experts());
        FileLayers layers = FileLayers.allHidden(file, tables.get(0).rows().length, Counts.loaded(tables), given);
        List<Frame> frames = new ArrayList<>();
        for (JsonText.Table table : tables) {
            frames.add(new Frame(
                    frames.size(), tables.size() > 1 ? 1 : 0, Recording.NO_MAP, Counts.kept(table, layers.rows())));
        }
        List<String> notes = new ArrayList<>(layers.notes());
        if (tables.size() == 1) {
            notes.add("all counts are in one frame: the file does not say how many passes they are of");
        }
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                tables.get(0).columns(),
                given.ranks(),
                given.topK(),
                frames,
                List.of(),
                notes);
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        to.requireLoad();
        List<Integer> ids = to.modelLayerIds();
        int hidden = to.hiddenLayers(ids);
        to.check();
        to.loseMaps();
        to.noteHidden(ids, hidden, "without load");
        JsonLayout json = JsonLayout.spaced().put("{\"" + COUNT + "\": ");
        long[][][] steps = recording.frames().stream()
                .map(frame -> ToWrite.hiddenLoad(frame.load(), ids, hidden))
                .toArray(long[][][]::new);
        if (steps.length == 1) {
            json.table(steps[0]);
        } else {
            json.cube(steps);
            to.note("SGLang adds the " + steps.length + " frames up when it plans from them");
        }
        return Written.file(json.put("}").bytes(), to.notes());
    }
}
