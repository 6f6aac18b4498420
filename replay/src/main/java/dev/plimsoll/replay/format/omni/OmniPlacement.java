package dev.plimsoll.replay.format.omni;

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
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import dev.plimsoll.replay.format.npy.NpyArray;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A placement pattern of OmniPlacement, and of the competition that it came from: an array of 0 and 1,
 * {@code [device][layer with experts][expert]}. Layers and devices may differ in their number of slots; on a device, slots are in the
 * order of experts.
 */
public final class OmniPlacement implements WritableFormat {
    @Override
    public String name() {
        return "omni-placement";
    }

    @Override
    public String description() {
        return "OmniPlacement's pattern (.npy), 0 or 1 by [device][layer with experts][expert]; must be named";
    }

    /** Any array of three dimensions: that it is 0 and 1 does not tell it from a little load. */
    @Override
    public boolean recognises(Input input) throws IOException {
        return NpyArray.shape(input).filter(shape -> shape.size() == 3).isPresent();
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        if (input.directory()) {
            throw new FormatException(input.name(), 0, "is a directory: a pattern is one file");
        }
        Numbers pattern = NpyArray.read(input, input.files().get(0));
        if (pattern.dimensions() != 3 || pattern.count() == 0) {
            throw new FormatException(
                    pattern.file(),
                    0,
                    "is of shape " + pattern.shape() + ": needs [device][layer][expert], at least one of each");
        }
        int ranks = pattern.size(0);
        int layers = pattern.size(1);
        int experts = pattern.size(2);
        if (layers > FileLayers.MOST) {
            throw pattern.wrong("has " + layers + " layers: at most " + FileLayers.MOST + " are read");
        }
        pattern.requireWithin(0, 1, "is neither 0 nor 1");
        given.requireRanks(pattern.file(), ranks);
        given.requireExperts(pattern.file(), experts);
        FileLayers numbers = FileLayers.moeOnly(pattern.file(), layers, given);
        int[][][] map = new int[layers][ranks][];
        for (int layer = 0; layer < layers; layer++) {
            boolean[] placed = new boolean[experts];
            for (int rank = 0; rank < ranks; rank++) {
                map[layer][rank] = held(pattern.at(rank).at(layer), placed);
            }
            for (int expert = 0; expert < experts; expert++) {
                if (!placed[expert]) {
                    throw pattern.at(0)
                            .at(layer)
                            .wrong("has no device with expert " + expert + " in layer " + layer + ": is it a pattern?");
                }
            }
        }
        ExpertMap held = ExpertMap.of(map);
        List<String> notes = new ArrayList<>(numbers.notes());
        notes.add("slots of a device are taken in the order of its experts, as OmniPlacement does");
        if (!held.even()) {
            notes.add("devices or layers differ in their number of slots: " + slots(held));
        }
        return new Recording(
                input.name(),
                name(),
                numbers.numbering(),
                numbers.ids(),
                numbers.hiddenLayers(),
                experts,
                java.util.OptionalInt.of(ranks),
                given.topK(),
                List.of(),
                List.of(held),
                notes);
    }

    private static int[] held(Numbers experts, boolean[] placed) {
        int count = 0;
        for (int expert = 0; expert < placed.length; expert++) {
            if (experts.get(expert) == 1) {
                count++;
                placed[expert] = true;
            }
        }
        int[] held = new int[count];
        for (int expert = placed.length - 1; expert >= 0; expert--) {
            if (experts.get(expert) == 1) {
                held[--count] = expert;
            }
        }
        return held;
    }

    private static String slots(ExpertMap map) {
        List<Integer> slots = new ArrayList<>();
        for (int layer = 0; layer < map.layers(); layer++) {
            slots.add(map.slots(layer));
        }
        return "by layer " + FileLayers.words(slots) + " slots in all";
    }

    @Override
    public boolean keepsSlotOrder() {
        return false;
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        ExpertMap map = to.map();
        to.requireOncePerRank(map);
        to.check();
        to.loseLoad();
        to.noteMoeOnly();
        int experts = recording.experts();
        long[] pattern = new long[Math.multiplyExact(Math.multiplyExact(map.ranks(), map.layers()), experts)];
        boolean ascending = true;
        for (int rank = 0; rank < map.ranks(); rank++) {
            for (int layer = 0; layer < map.layers(); layer++) {
                int[] held = map.rank(layer, rank);
                for (int expert : held) {
                    pattern[(rank * map.layers() + layer) * experts + expert] = 1;
                }
                int[] sorted = held.clone();
                Arrays.sort(sorted);
                ascending &= Arrays.equals(held, sorted);
            }
        }
        if (!ascending) {
            to.note("the order of slots on a device is lost: there they are in the order of experts");
        }
        return Written.file(
                NpyArray.write(NumberType.INT32, List.of(map.ranks(), map.layers(), experts), pattern), to.notes());
    }
}
