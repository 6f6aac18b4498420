package dev.plimsoll.replay.format.sglang;

import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.array.Numbers;
import java.util.ArrayList;
import java.util.List;

/**
 * A map as SGLang writes it, with a row for every hidden layer.
 *
 * @param rows {@code [hidden layer][slot]}
 * @param experts logical experts: each has a slot somewhere, so there is none above the largest that is named
 */
record SlotMap(int[][] rows, int experts) {
    static SlotMap of(Numbers map, Given given) throws FormatException {
        if (map.dimensions() != 2 || map.count() == 0 || map.size(0) > FileLayers.MOST) {
            throw map.wrong(
                    "has a map of shape " + map.shape() + ": needs [hidden layer][slot], at least one of each and"
                            + " at most " + FileLayers.MOST + " layers");
        }
        int slots = map.size(1);
        map.requireWithin(0, slots - 1L, "is no expert: there are " + slots + " slots, and each expert has one");
        int[][] rows = new int[map.size(0)][slots];
        int most = 0;
        for (int layer = 0; layer < rows.length; layer++) {
            Numbers row = map.at(layer);
            for (int slot = 0; slot < slots; slot++) {
                rows[layer][slot] = (int) row.get(slot);
                most = Math.max(most, rows[layer][slot]);
            }
        }
        if (given.experts().isPresent() && given.experts().getAsInt() <= most) {
            throw map.wrong(
                    "names expert " + most + ", --experts is " + given.experts().getAsInt());
        }
        return new SlotMap(rows, given.experts().orElse(most + 1));
    }

    int slots() {
        return rows[0].length;
    }

    /** The map of some of its rows. */
    ExpertMap of(List<Integer> layers, int ranks, String file) throws FormatException {
        if (slots() % ranks != 0) {
            throw new FormatException(
                    file,
                    0,
                    "has " + slots() + " slots, which " + ranks
                            + " ranks cannot share evenly: --ranks is needed as the group really was");
        }
        return ExpertMap.ofSlots(layers.stream().map(row -> rows[row]).toArray(int[][]::new), ranks);
    }

    /** What is odd about a map, and normal for SGLang. */
    static List<String> notes(ExpertMap map, int experts) {
        List<String> notes = new ArrayList<>();
        if (map.twiceOnARank() > 0) {
            notes.add(map.twiceOnARank() + " extra copies are on a rank that has the expert already");
        }
        for (int layer = 0; layer < map.layers(); layer++) {
            if (!map.missing(layer, experts).isEmpty()) {
                notes.add("in row " + layer + " of the layers with experts no slot holds expert "
                        + map.missing(layer, experts).get(0) + ": SGLang would load such a map and not say so");
                break;
            }
        }
        return notes;
    }
}
