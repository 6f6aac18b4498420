package dev.plimsoll.replay.format.npy;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.Written;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A map of experts in a plain array, {@code [layer][slot]}; rank r owns the slots [r·S, (r+1)·S). It has to be named. */
public final class NpyMap implements WritableFormat {
    @Override
    public String name() {
        return "npy-map";
    }

    @Override
    public String description() {
        return "map of experts in a plain array (.npy, .npy.gz), [layer with experts][slot]; must be named, needs --ranks";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return PlainArray.has(input, 2);
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        Numbers slots = PlainArray.read(input, "[layer][slot]", 2);
        int layers = PlainArray.layers(slots, 0);
        int perLayer = slots.size(1);
        slots.requireWithin(
                0, perLayer - 1L, "is no expert: there are " + perLayer + " slots, and each expert has one");
        if (given.ranks().isEmpty() || perLayer % given.ranks().getAsInt() != 0) {
            throw new FormatException(
                    slots.file(),
                    0,
                    "has " + perLayer + " slots in a layer and does not say on how many"
                            + " ranks: --ranks is needed, and has to divide them");
        }
        int[][] map = new int[layers][perLayer];
        int most = 0;
        for (int layer = 0; layer < layers; layer++) {
            Numbers row = slots.at(layer);
            for (int slot = 0; slot < perLayer; slot++) {
                map[layer][slot] = (int) row.get(slot);
                most = Math.max(most, map[layer][slot]);
            }
        }
        given.requireExperts(slots.file(), most + 1);
        FileLayers numbers = FileLayers.moeOnly(slots.file(), layers, given);
        ExpertMap experts = ExpertMap.ofSlots(map, given.ranks().getAsInt());
        for (int layer = 0; layer < layers; layer++) {
            if (!experts.missing(layer, most + 1).isEmpty()) {
                throw slots.at(layer)
                        .wrong("has no slot for expert "
                                + experts.missing(layer, most + 1).get(0) + " in row " + layer
                                + ": is it a map of experts?");
            }
        }
        List<String> notes = new ArrayList<>(numbers.notes());
        notes.add(
                "read as a map because it was named so: rows are layers with experts, columns are slots, rank after rank");
        if (experts.twiceOnARank() > 0) {
            notes.add(experts.twiceOnARank() + " extra copies are on a rank that has the expert already");
        }
        return new Recording(
                input.name(),
                name(),
                numbers.numbering(),
                numbers.ids(),
                numbers.hiddenLayers(),
                most + 1,
                given.ranks(),
                given.topK(),
                List.of(),
                List.of(experts),
                notes);
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        if (recording.maps().isEmpty()) {
            throw new CannotHoldException(
                    name(), List.of("it is a map of experts, and " + recording.source() + " has none"));
        }
        ExpertMap map = recording.maps().get(recording.maps().size() - 1);
        if (!map.even()) {
            throw new CannotHoldException(
                    name(), List.of("slots are numbered flat there, and ranks differ in their number of slots"));
        }
        List<String> notes = new ArrayList<>(List.of("the number of ranks, " + map.ranks() + ", is not in the file"));
        if (recording.modelLayerIds().isPresent()) {
            notes.add("layers " + FileLayers.words(recording.layerIds()) + " are rows 0 to " + (map.layers() - 1)
                    + " there");
        }
        if (recording.maps().size() > 1) {
            notes.add("the last of " + recording.maps().size() + " maps is written");
        }
        long[] all = IntStream.range(0, map.layers())
                .flatMap(layer -> IntStream.of(map.layer(layer)))
                .asLongStream()
                .toArray();
        return Written.file(NpyArray.write(NumberType.INT64, List.of(map.layers(), map.slots(0)), all), notes);
    }
}
