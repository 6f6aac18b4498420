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
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * vllm-ascend's {@code expert_map.json}: for each layer with experts, from 0, and each device, the experts of its slots in their order.
 * Layers and devices are found by their place in the lists, so a file whose numbers say otherwise is refused.
 */
final class AscendMap implements WritableFormat {
    @Override
    public String name() {
        return "vllm-ascend-map";
    }

    @Override
    public String description() {
        return "vllm-ascend expert map, experts of every device for layers with experts, from 0";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return JsonNames.of(input).has("moe_layer_count");
    }

    private static final class Document {
        int count = -1;
        final List<Layer> layers = new ArrayList<>();
    }

    private static final class Layer {
        long at;
        int devices = -1;
        final List<int[]> experts = new ArrayList<>();
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        String file = input.files().get(0);
        Document document = new Document();
        try (JsonText json = new JsonText(file, input.bytes(file))) {
            json.object("the document", name -> {
                switch (name) {
                    case "moe_layer_count" -> document.count = json.number(name, 1, FileLayers.MOST);
                    case "layer_list" ->
                        json.list(name, i -> {
                            if (i == FileLayers.MOST) {
                                throw json.refuse("has more than " + FileLayers.MOST + " layers");
                            }
                            document.layers.add(layer(json, i));
                        });
                    default -> json.skip();
                }
            });
            if (document.layers.isEmpty() || document.count != document.layers.size()) {
                throw json.refuse("moe_layer_count is " + document.count + ", layer_list has " + document.layers.size()
                        + " layers");
            }
            json.end();
        }
        return recording(input.name(), file, document.layers, given);
    }

    private static Layer layer(JsonText json, int index) throws IOException {
        Layer layer = new Layer();
        layer.at = json.at();
        String what = "layer_list[" + index + "]";
        json.object(what, name -> {
            switch (name) {
                case "layer_id" -> json.number(what + ".layer_id, which is looked up by place,", index, index);
                case "device_count" -> layer.devices = json.number(name, 1, SlotMaps.MOST);
                case "device_list" ->
                    json.list(name, device -> {
                        if (device == SlotMaps.MOST) {
                            throw json.refuse(what + " has more than " + SlotMaps.MOST + " devices");
                        }
                        layer.experts.add(device(json, what, device));
                    });
                default -> json.skip();
            }
        });
        if (layer.experts.isEmpty() || layer.devices != layer.experts.size()) {
            throw json.refuse(
                    what + " says device_count " + layer.devices + ", device_list has " + layer.experts.size());
        }
        return layer;
    }

    private static int[] device(JsonText json, String what, int index) throws IOException {
        List<int[]> experts = new ArrayList<>();
        json.object(what + ".device_list[" + index + "]", name -> {
            switch (name) {
                case "device_id" -> json.number("device_id, which is looked up by place,", index, index);
                case "device_expert" ->
                    experts.add(Arrays.stream(json.wholes(name, 0, SlotMaps.MOST - 1))
                            .mapToInt(expert -> (int) expert)
                            .toArray());
                default -> json.skip();
            }
        });
        if (experts.isEmpty()) {
            throw json.refuse(what + ".device_list[" + index + "] has no device_expert");
        }
        return experts.get(0);
    }

    private Recording recording(String source, String file, List<Layer> list, Given given) throws FormatException {
        int[][][] experts = new int[list.size()][][];
        int highest = 0;
        for (int layer = 0; layer < experts.length; layer++) {
            experts[layer] = list.get(layer).experts.toArray(int[][]::new);
            if (experts[layer].length != experts[0].length) {
                throw new FormatException(
                        file,
                        list.get(layer).at,
                        "layer " + layer + " has " + experts[layer].length + " devices, layer 0 has "
                                + experts[0].length);
            }
            highest = Math.max(
                    highest,
                    Arrays.stream(experts[layer])
                            .flatMapToInt(Arrays::stream)
                            .max()
                            .orElse(0));
        }
        ExpertMap map = ExpertMap.of(experts);
        if (given.ranks().orElse(map.ranks()) != map.ranks()) {
            throw new FormatException(
                    file,
                    0,
                    "is of " + map.ranks() + " devices, --ranks is "
                            + given.ranks().getAsInt());
        }
        int count = given.experts().orElse(highest + 1);
        for (int layer = 0; layer < map.layers(); layer++) {
            List<Integer> missing = map.missing(layer, count);
            if (!missing.isEmpty() || highest >= count) {
                throw new FormatException(
                        file,
                        list.get(layer).at,
                        highest >= count
                                ? "holds expert " + highest + " of " + count
                                : "layer " + layer + " has no slot for experts " + FileLayers.words(missing) + " of "
                                        + count);
            }
        }
        FileLayers layers = FileLayers.moeOnly(file, map.layers(), given);
        List<String> notes = new ArrayList<>(layers.notes());
        notes.addAll(SlotMaps.notes(map));
        return new Recording(
                source,
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                count,
                OptionalInt.of(map.ranks()),
                given.topK(),
                List.of(),
                List.of(map),
                notes);
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        ExpertMap map = to.map();
        to.requireOncePerRank(map);
        to.check();
        to.loseLoad();
        to.noteMoeOnly();
        JsonLayout json = JsonLayout.spaced()
                .put("{\n    \"moe_layer_count\": ")
                .put(map.layers())
                .put(",\n    \"layer_list\": [");
        for (int layer = 0; layer < map.layers(); layer++) {
            json.put(layer == 0 ? "\n" : ",\n")
                    .put("        {\n            \"layer_id\": ")
                    .put(layer)
                    .put(",\n            \"device_count\": ")
                    .put(map.ranks())
                    .put(",\n            \"device_list\": [");
            for (int rank = 0; rank < map.ranks(); rank++) {
                json.put(rank == 0 ? "\n" : ",\n")
                        .put("                {\n                    \"device_id\": ")
                        .put(rank)
                        .put(",\n                    \"device_expert\": [\n")
                        .put(Arrays.stream(map.rank(layer, rank))
                                .mapToObj(expert -> "                        " + expert)
                                .collect(Collectors.joining(",\n")))
                        .put("\n                    ]\n                }");
            }
            json.put("\n            ]\n        }");
        }
        return Written.file(json.put("\n    ]\n}").bytes(), to.notes());
    }
}
