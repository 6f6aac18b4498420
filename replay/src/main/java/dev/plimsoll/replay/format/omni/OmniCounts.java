package dev.plimsoll.replay.format.omni;

import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.GivenMap;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.Recording.Frame;
import dev.plimsoll.replay.format.RecordingFormat;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A directory of OmniPlacement's dumps, {@code activation_counts_recordstep_<step>_rank_<rank>.txt}: a line for every layer with experts,
 * of counts of slots, each followed by a tab; what was counted since the dump before.
 *
 * <p>There are two layouts under these names. Either every rank writes its own slots, or rank 0 writes those of all ranks, each rank's
 * part as wide as the widest there is and filled up with zeros. The files of a step tell them apart; the map ({@code --map}), which no
 * file says, confirms it.
 */
public final class OmniCounts implements RecordingFormat {
    private static final Pattern NAME =
            Pattern.compile("activation_counts_recordstep_(\\d{1,9})_rank_(\\d{1,6})\\.txt");
    private static final int HEAD = 4_096;

    @Override
    public String name() {
        return "omni-counts";
    }

    @Override
    public String description() {
        return "OmniPlacement's activation counts (directory of .txt), load of slots, layers with experts; needs --map";
    }

    @Override
    public boolean holdsMaps() {
        return false;
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        Optional<String> first = input.files().stream()
                .filter(file -> NAME.matcher(file).matches())
                .findFirst();
        if (!input.directory() || first.isEmpty()) {
            return false;
        }
        for (byte b : input.head(first.get(), HEAD)) {
            if (b != '\t' && b != '\n' && b != '\r' && (b < '0' || b > '9')) {
                return false;
            }
        }
        return true;
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        TreeMap<Integer, TreeMap<Integer, String>> steps = new TreeMap<>();
        for (String file : input.files()) {
            Matcher name = NAME.matcher(file);
            if (name.matches()) {
                String before = steps.computeIfAbsent(Integer.parseInt(name.group(1)), step -> new TreeMap<>())
                        .put(Integer.parseInt(name.group(2)), file);
                if (before != null) {
                    throw new FormatException(file, 0, "is of the same step and rank as " + before);
                }
            }
        }
        if (!input.directory() || steps.isEmpty()) {
            throw new FormatException(
                    input.name(), 0, "is no directory with files activation_counts_recordstep_<step>_rank_<rank>.txt");
        }
        TreeMap<Integer, String> first = steps.firstEntry().getValue();
        for (Map.Entry<Integer, TreeMap<Integer, String>> step : steps.entrySet()) {
            if (!step.getValue().keySet().equals(first.keySet()) || first.lastKey() != first.size() - 1) {
                throw new FormatException(
                        step.getValue().firstEntry().getValue(),
                        0,
                        "is of step " + step.getKey() + " with files of ranks "
                                + step.getValue().keySet() + ", and step " + steps.firstKey() + " has those of "
                                + first.keySet() + ": the same ranks, from 0, are needed of every step");
            }
        }
        int[] columns = new int[first.size()];
        int layers = 0;
        for (Map.Entry<Integer, String> file : first.entrySet()) {
            long[][] rows = Lines.read(input, file.getValue());
            layers = rows.length;
            columns[file.getKey()] = rows[0].length;
        }
        Layout layout = Layout.of(input, given, first.firstEntry().getValue(), layers, columns);
        return recording(input, given, steps, layout);
    }

    /**
     * Where the slots of a rank are.
     *
     * @param perRank whether each rank has its own file
     * @param width columns of a rank, the widest
     */
    private record Layout(ExpertMap map, int experts, boolean perRank, int width, String how) {
        static Layout of(Input input, Given given, String file, int layers, int[] columns) throws FormatException {
            if (given.map().isEmpty()) {
                throw new FormatException(
                        file,
                        0,
                        "has counts of slots and not the experts in them: the placement pattern that"
                                + " they were counted under is needed, --map FILE, or --map start if no expert had been moved or"
                                + " copied yet (OmniPlacement's base pattern)");
            }
            boolean perRank = columns.length > 1 || given.ranks().equals(OptionalInt.of(1));
            int slots = Arrays.stream(columns).sum();
            if (given.map().get() instanceof GivenMap.Known known) {
                ExpertMap map = known.map();
                int experts = 0;
                int width = 0;
                for (int layer = 0; layer < map.layers(); layer++) {
                    experts = Math.max(
                            experts, Arrays.stream(map.layer(layer)).max().orElse(-1) + 1);
                    for (int rank = 0; rank < map.ranks(); rank++) {
                        width = Math.max(width, map.rank(layer, rank).length);
                    }
                }
                perRank = columns.length > 1 || map.ranks() == 1;
                boolean fits = perRank ? columns.length == map.ranks() : columns[0] == map.ranks() * width;
                if (!fits || map.layers() != layers) {
                    throw new FormatException(
                            file,
                            0,
                            "is one of " + columns.length + " files a step, with " + layers
                                    + " layers and " + columns[0] + " columns; the map has " + map.layers()
                                    + " layers on "
                                    + map.ranks() + " ranks with up to " + width + " slots, so there should be "
                                    + map.ranks() + " files, or one of " + map.ranks() * width + " columns");
                }
                given.requireExperts(file, experts);
                given.requireRanks(file, map.ranks());
                return new Layout(map, experts, perRank, width, "by the map that was given");
            }
            if (!perRank && given.ranks().isEmpty()) {
                throw new FormatException(
                        file,
                        0,
                        "has the slots of all ranks in a line and does not say how many ranks: --ranks" + " is needed");
            }
            int ranks = perRank ? columns.length : given.ranks().getAsInt();
            given.requireRanks(file, ranks);
            given.requireExperts(file, slots);
            if (slots % ranks != 0 || Arrays.stream(columns).anyMatch(each -> each != columns[0])) {
                throw new FormatException(
                        file,
                        0,
                        "has " + slots + " slots, which " + ranks
                                + " ranks do not share evenly, as they do at the start: --map FILE is needed");
            }
            int[][] map = new int[layers][slots];
            for (int[] layer : map) {
                Arrays.setAll(layer, slot -> slot);
            }
            return new Layout(
                    ExpertMap.ofSlots(map, ranks),
                    slots,
                    perRank,
                    slots / ranks,
                    "by the base pattern, as --map start says: slot i holds expert i");
        }
    }

    private Recording recording(
            Input input, Given given, TreeMap<Integer, TreeMap<Integer, String>> steps, Layout layout)
            throws IOException {
        ExpertMap map = layout.map;
        List<Frame> frames = new ArrayList<>();
        long total = 0;
        for (Map.Entry<Integer, TreeMap<Integer, String>> step : steps.entrySet()) {
            List<String> names = List.copyOf(step.getValue().values());
            List<long[][]> files = new ArrayList<>();
            for (String file : step.getValue().values()) {
                files.add(requireSize(file, Lines.read(input, file), layout));
            }
            long[][] ofExperts = new long[map.layers()][layout.experts];
            long[][] ofSlots = new long[map.layers()][];
            for (int layer = 0; layer < map.layers(); layer++) {
                ofSlots[layer] = new long[map.slots(layer)];
                int slot = 0;
                for (int rank = 0; rank < map.ranks(); rank++) {
                    long[] row = files.get(layout.perRank ? rank : 0)[layer];
                    int[] held = map.rank(layer, rank);
                    int from = layout.perRank ? 0 : rank * layout.width;
                    for (int i = 0; i < held.length; i++) {
                        ofSlots[layer][slot++] = row[from + i];
                        ofExperts[layer][held[i]] += row[from + i];
                        total += row[from + i];
                    }
                    for (int i = from + held.length; i < (layout.perRank ? row.length : from + layout.width); i++) {
                        if (row[i] != 0) {
                            throw new FormatException(
                                    names.get(layout.perRank ? rank : 0),
                                    0,
                                    "has a count of "
                                            + row[i] + " in line " + (layer + 1) + ", column " + (i + 1)
                                            + ", where rank " + rank
                                            + " has no slot by the map: it is another map's");
                        }
                    }
                }
                if (total > Numbers.MOST_IN_ALL) {
                    throw new FormatException(
                            step.getValue().firstEntry().getValue(), 0, "makes the sum more than 2^53 tokens");
                }
            }
            frames.add(new Frame(step.getKey(), 0, 0, ofExperts, Optional.of(ofSlots)));
        }
        FileLayers layers = FileLayers.moeOnly(input.name(), map.layers(), given);
        List<String> notes = new ArrayList<>(layers.notes());
        notes.add(
                layout.perRank
                        ? "each rank has a file of its own slots"
                        : "rank 0 has written the slots of all " + map.ranks() + " ranks, " + layout.width
                                + " columns of each");
        notes.add("slots are experts " + layout.how);
        int gaps = steps.lastKey() - steps.firstKey() + 1 - steps.size();
        if (gaps > 0) {
            notes.add(gaps + " steps between the first and the last have no file");
        }
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                layout.experts,
                OptionalInt.of(map.ranks()),
                given.topK(),
                frames,
                List.of(map),
                notes);
    }

    private static long[][] requireSize(String file, long[][] rows, Layout layout) throws FormatException {
        int columns = layout.perRank ? -1 : layout.width * layout.map.ranks();
        if (rows.length != layout.map.layers() || (columns >= 0 && rows[0].length != columns)) {
            throw new FormatException(
                    file,
                    0,
                    "has " + rows.length + " lines of " + rows[0].length + " counts: needs " + layout.map.layers()
                            + " lines" + (columns >= 0 ? " of " + columns : ""));
        }
        if (layout.perRank && rows[0].length > layout.width) {
            throw new FormatException(
                    file,
                    0,
                    "has " + rows[0].length + " counts in a line, and no rank has more than " + layout.width
                            + " slots by the map");
        }
        for (int layer = 0; layer < rows.length && layout.perRank; layer++) {
            Matcher name = NAME.matcher(file);
            int slots = name.matches() ? layout.map.rank(layer, Integer.parseInt(name.group(2))).length : 0;
            if (rows[layer].length < slots) {
                throw new FormatException(
                        file,
                        0,
                        "has " + rows[layer].length + " counts in line " + (layer + 1) + ", and the map " + slots
                                + " slots");
            }
        }
        return rows;
    }
}
