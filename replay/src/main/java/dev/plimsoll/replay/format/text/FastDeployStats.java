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
 * What FastDeploy answers to {@code POST /get_per_expert_tokens_stats}: load of experts in all hidden layers, for each rank of one
 * node.
 */
final class FastDeployStats implements WritableFormat {
    @Override
    public String name() {
        return "fastdeploy-stats";
    }

    @Override
    public String description() {
        return "FastDeploy answer of /get_per_expert_tokens_stats, load of experts in all hidden layers by rank of a node";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        JsonNames names = JsonNames.of(input);
        return names.has("code") && names.has("data");
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        List<JsonText.Table> ranks = new ArrayList<>();
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                switch (name) {
                    case "code" -> json.whole("code (0 when FastDeploy could answer)", 0, 0);
                    case "data" -> ranks.addAll(json.tables("data", 0, Counts.MOST));
                    default -> json.skip();
                }
            });
            if (ranks.isEmpty()) {
                throw json.refuse("has no data");
            }
            json.end();
        }
        JsonText.Table first = ranks.get(0);
        Counts.requireExperts(file, first, given.experts());
        FileLayers layers = FileLayers.allHidden(file, first.rows().length, Counts.loaded(ranks), given);
        long[][] sum = new long[layers.rows().size()][first.columns()];
        for (JsonText.Table rank : ranks) {
            for (int layer = 0; layer < sum.length; layer++) {
                for (int expert = 0; expert < sum[layer].length; expert++) {
                    sum[layer][expert] += rank.rows()[layers.rows().get(layer)][expert];
                }
            }
        }
        List<String> notes = new ArrayList<>(layers.notes());
        notes.add("counts of " + ranks.size()
                + " ranks are added up: those of the node that answered, which of a larger" + " group are not all");
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                first.columns(),
                given.ranks(),
                given.topK(),
                List.of(new Frame(0, 0, Recording.NO_MAP, sum)),
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
        to.note("all load stands as that of one rank" + (recording.frames().size() > 1 ? ", frames added up" : ""));
        return Written.file(
                JsonLayout.spaced()
                        .put("{\"code\": 0, \"msg\": \"ok\", \"data\": ")
                        .cube(new long[][][] {ToWrite.hiddenLoad(recording.totals(), ids, hidden)})
                        .put("}")
                        .bytes(),
                to.notes());
    }
}
