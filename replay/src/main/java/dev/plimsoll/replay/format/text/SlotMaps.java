package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;

/** Maps that are written flat, the expert of every slot: checked, and divided among ranks. */
final class SlotMaps {
    /** Highest number that an expert or a slot may have, plus one. */
    static final int MOST = 65_536;

    private SlotMaps() {}

    /** Logical experts of a map that has every expert in every layer: the highest number and one, checked against what was given. */
    static int experts(String file, JsonText.Table table, Given given) throws FormatException {
        long highest = 0;
        for (long[] row : table.rows()) {
            for (long expert : row) {
                highest = Math.max(highest, expert);
            }
        }
        int experts = given.experts().orElse((int) highest + 1);
        for (int row = 0; row < table.rows().length; row++) {
            requireAll(file, table, row, experts);
        }
        return experts;
    }

    private static void requireAll(String file, JsonText.Table table, int row, int experts) throws FormatException {
        BitSet there = new BitSet(experts);
        for (long expert : table.rows()[row]) {
            if (expert >= experts) {
                throw new FormatException(
                        file,
                        table.at()[row],
                        "row " + row + " holds expert " + expert + " of " + experts
                                + ": each must be below the number of experts");
            }
            there.set((int) expert);
        }
        int missing = there.nextClearBit(0);
        if (missing < experts) {
            throw new FormatException(
                    file,
                    table.at()[row],
                    "row " + row + " has no slot for expert " + missing + " of " + experts
                            + ": every expert needs one (--experts says how many there are)");
        }
    }

    /** The rows of a map that are kept, rank r owning the slots [r·S, (r+1)·S); the number of ranks must be known. */
    static ExpertMap divided(
            String file, JsonText.Table table, List<Integer> rows, OptionalInt said, Given given, int experts)
            throws FormatException {
        int ranks = ranks(file, table.at()[0], said, given);
        int slots = table.columns();
        if (ranks < 1 || slots % ranks != 0) {
            throw new FormatException(
                    file, table.at()[0], "has " + slots + " slots, which " + ranks + " ranks cannot share evenly");
        }
        int[][] kept = new int[rows.size()][slots];
        for (int layer = 0; layer < kept.length; layer++) {
            int row = rows.get(layer);
            requireAll(file, table, row, experts);
            for (int slot = 0; slot < slots; slot++) {
                kept[layer][slot] = (int) table.rows()[row][slot];
            }
        }
        return ExpertMap.ofSlots(kept, ranks);
    }

    private static int ranks(String file, long at, OptionalInt said, Given given) throws FormatException {
        if (said.isPresent()
                && given.ranks().isPresent()
                && said.getAsInt() != given.ranks().getAsInt()) {
            throw new FormatException(
                    file,
                    at,
                    "is of " + said.getAsInt() + " ranks, --ranks is "
                            + given.ranks().getAsInt());
        }
        if (said.isEmpty() && given.ranks().isEmpty()) {
            throw new FormatException(file, at, "does not say how many ranks share the slots: --ranks is needed");
        }
        return said.orElseGet(() -> given.ranks().getAsInt());
    }

    /** What people must know of a map, none for one that could be served by ranks that hold no expert twice. */
    static List<String> notes(ExpertMap map) {
        List<String> notes = new ArrayList<>();
        if (map.twiceOnARank() > 0) {
            notes.add("extra copies on a rank that has the expert already: " + map.twiceOnARank()
                    + "; the engine allows it, a placement of ours never does it, vllm-ascend and OmniPlacement cannot"
                    + " say it");
        }
        if (!map.even()) {
            notes.add("ranks differ in their number of slots");
        }
        return notes;
    }

    /** Slot counts added up for each expert, {@code [layer][expert]}. */
    static long[][] folded(JsonText.Table counts, ExpertMap map, int experts) {
        long[][] load = new long[map.layers()][experts];
        for (int layer = 0; layer < load.length; layer++) {
            int[] expert = map.layer(layer);
            for (int slot = 0; slot < expert.length; slot++) {
                load[layer][expert[slot]] += counts.rows()[layer][slot];
            }
        }
        return load;
    }
}
