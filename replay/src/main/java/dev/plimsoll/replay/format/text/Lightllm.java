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
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * LightLLM's redundancy file: for layers by the model's own numbers, the experts that every rank holds beside its own, which are
 * {@code [r·N/R, (r+1)·N/R)}. A layer without an entry has the default's.
 */
final class Lightllm implements WritableFormat {
    private static final String EXTRAS = "redundancy_expert_num";
    private static final String DEFAULT = "default";

    @Override
    public String name() {
        return "lightllm";
    }

    @Override
    public String description() {
        return "LightLLM redundancy file, experts that every rank holds beside its own, by the model's layer numbers";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return JsonNames.of(input).has(EXTRAS);
    }

    private static final class Document {
        int extras = -1;
        long[] otherwise = {};
        final Assignments layers;

        Document(String file) {
            layers = new Assignments(file);
        }
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        Document document = new Document(file);
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                switch (name) {
                    case EXTRAS -> document.extras = json.number(name, 0, SlotMaps.MOST);
                    case DEFAULT -> document.otherwise = json.wholes(name, 0, SlotMaps.MOST - 1);
                    default -> {
                        long at = json.at();
                        document.layers.put(name, at, json.wholes(name, 0, SlotMaps.MOST - 1), "the document");
                    }
                }
            });
            if (document.extras < 1 || document.otherwise.length != document.extras) {
                throw json.refuse(EXTRAS + " is " + document.extras + ", " + DEFAULT + " has "
                        + document.otherwise.length + " experts");
            }
            json.end();
        }
        return recording(input.name(), file, document, given);
    }

    private Recording recording(String source, String file, Document document, Given given) throws FormatException {
        if (given.ranks().isEmpty() || given.experts().isEmpty()) {
            throw new FormatException(
                    file,
                    0,
                    "has only what ranks hold beside their own experts: "
                            + (given.ranks().isPresent() ? "" : "--ranks ")
                            + (given.ranks().isEmpty() && given.experts().isEmpty() ? "and " : "")
                            + (given.experts().isPresent() ? "" : "--experts ")
                            + (given.ranks().isEmpty() && given.experts().isEmpty() ? "are" : "is")
                            + " needed");
        }
        int ranks = given.ranks().getAsInt();
        int experts = given.experts().getAsInt();
        if (ranks < 1 || experts % ranks != 0) {
            throw new FormatException(file, 0, experts + " experts cannot be divided evenly over " + ranks + " ranks");
        }
        if (document.layers.any()) {
            document.layers.table(document.extras);
        }
        Map<Integer, long[]> named = new LinkedHashMap<>(document.layers.experts());
        List<String> notes = new ArrayList<>();
        List<Integer> ids = given.layerIds().orElse(List.copyOf(named.keySet()));
        if (ids.isEmpty()) {
            throw new FormatException(
                    file, 0, "names no layer, so all have the default: name those with experts by --layer-ids");
        }
        if (!ids.containsAll(named.keySet())) {
            throw new FormatException(
                    file,
                    0,
                    "has entries for layers " + FileLayers.words(List.copyOf(named.keySet()))
                            + ", --layer-ids leaves some out: " + FileLayers.words(ids));
        }
        if (given.layerIds().isEmpty()) {
            notes.add("layers " + FileLayers.words(ids) + " have entries and were read; a layer with experts that has"
                    + " none would have the default " + Arrays.toString(document.otherwise)
                    + ": --layer-ids names all");
        }
        int[][][] map = new int[ids.size()][ranks][];
        int own = experts / ranks;
        for (int layer = 0; layer < map.length; layer++) {
            long[] extras = named.getOrDefault(ids.get(layer), document.otherwise);
            for (int rank = 0; rank < ranks; rank++) {
                map[layer][rank] = new int[own + extras.length];
                for (int slot = 0; slot < map[layer][rank].length; slot++) {
                    map[layer][rank][slot] = slot < own ? rank * own + slot : (int) extras[slot - own];
                    if (map[layer][rank][slot] >= experts) {
                        throw new FormatException(
                                file,
                                0,
                                "layer " + ids.get(layer) + " names expert " + map[layer][rank][slot] + " of "
                                        + experts);
                    }
                }
            }
        }
        ExpertMap expanded = ExpertMap.of(map);
        notes.add(
                "each rank has its " + own + " own experts, then the " + document.extras + " of the layer's entry; the"
                        + " engine sends a token to the copy on its own rank, an even split is what is reckoned with here");
        notes.addAll(SlotMaps.notes(expanded));
        FileLayers layers = FileLayers.absolute(file, ids, given);
        return new Recording(
                source,
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                experts,
                OptionalInt.of(ranks),
                given.topK(),
                List.of(),
                List.of(expanded),
                notes);
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        ExpertMap map = to.map();
        to.requireEven(map);
        List<Integer> ids = to.modelLayerIds();
        to.require(recording.experts() % map.ranks() == 0, "its ranks have as many experts of their own each");
        to.check();
        int own = recording.experts() / map.ranks();
        int extras = map.slots(0) / map.ranks() - own;
        to.require(extras > 0, "it names redundant experts, and there are none");
        for (int layer = 0; layer < map.layers() && extras > 0; layer++) {
            int[] first = map.rank(layer, 0);
            for (int rank = 0; rank < map.ranks(); rank++) {
                int[] slots = map.rank(layer, rank);
                boolean fits = Arrays.equals(slots, own, slots.length, first, own, first.length);
                for (int slot = 0; slot < own; slot++) {
                    fits &= slots[slot] == rank * own + slot;
                }
                to.require(
                        fits,
                        "layer " + ids.get(layer) + " rank " + rank + " does not hold its own experts in order and then"
                                + " the same ones as rank 0");
            }
        }
        to.check();
        to.loseLoad();
        to.note(DEFAULT + " is the first experts, as the engine writes it");
        JsonLayout json = JsonLayout.spaced().put("{\n    \"" + EXTRAS + "\": ").put(extras);
        entry(json, DEFAULT, java.util.stream.IntStream.range(0, extras).toArray());
        for (int layer = 0; layer < map.layers(); layer++) {
            int[] first = map.rank(layer, 0);
            entry(json, String.valueOf(ids.get(layer)), Arrays.copyOfRange(first, own, first.length));
        }
        return Written.file(json.put("\n}").bytes(), to.notes());
    }

    private static void entry(JsonLayout json, String name, int[] experts) {
        json.put(",\n    \"" + name + "\": [");
        for (int i = 0; i < experts.length; i++) {
            json.put(i == 0 ? "\n        " : ",\n        ").put(experts[i]);
        }
        json.put("\n    ]");
    }
}
