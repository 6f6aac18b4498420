package dev.plimsoll.replay.format;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Which rows of a file are layers with experts, and their numbers: from what the file says and what was given, never from a guess.
 *
 * @param rows of the file, ascending, that are kept
 * @param ids number of each of them
 * @param notes what a person must know of it
 */
public record FileLayers(
        LayerNumbering numbering, List<Integer> rows, List<Integer> ids, OptionalInt hiddenLayers, List<String> notes) {
    /** Most layers that a file may have. */
    public static final int MOST = 4096;

    public FileLayers {
        rows = List.copyOf(rows);
        ids = List.copyOf(ids);
        notes = List.copyOf(notes);
    }

    /** A file whose rows are layers with experts, counted from 0; the model's own numbers are taken where they were given. */
    public static FileLayers moeOnly(String file, int rows, Given given) throws FormatException {
        List<Integer> all = IntStream.range(0, rows).boxed().toList();
        if (given.layerIds().isEmpty()) {
            return new FileLayers(LayerNumbering.MOE_ONLY, all, all, given.hiddenLayers(), List.of());
        }
        List<Integer> ids = given.layerIds().get();
        if (ids.size() != rows) {
            throw new FormatException(
                    file,
                    0,
                    "has " + rows + " layers with experts, --layer-ids names " + ids.size() + ": " + words(ids));
        }
        requireAscending(file, ids);
        requireHidden(file, ids, given);
        return new FileLayers(
                LayerNumbering.ABSOLUTE,
                all,
                ids,
                given.hiddenLayers(),
                List.of("the file counts layers with experts from 0; by --layer-ids they are the model's layers "
                        + words(ids)));
    }

    /**
     * A file with a row for every hidden layer. Those without experts have no load, so where there is load it says which they are;
     * of a map alone it must be given.
     *
     * @param loaded whether a row has load; empty where the file has no load
     */
    public static FileLayers allHidden(String file, int rows, boolean[] loaded, Given given) throws FormatException {
        if (given.hiddenLayers().isPresent() && given.hiddenLayers().getAsInt() != rows) {
            throw new FormatException(
                    file,
                    0,
                    "has " + rows + " rows, --hidden-layers is "
                            + given.hiddenLayers().getAsInt());
        }
        List<Integer> withLoad = IntStream.range(0, loaded.length)
                .filter(row -> loaded[row])
                .boxed()
                .toList();
        List<Integer> ids = given.layerIds().orElse(withLoad);
        if (ids.isEmpty()) {
            throw new FormatException(
                    file,
                    0,
                    "has a row for each of " + rows + " hidden layers and no load that tells which have experts: name"
                            + " them by --layer-ids, such as --layer-ids 3.." + Math.max(3, rows - 1));
        }
        requireAscending(file, ids);
        int last = ids.get(ids.size() - 1);
        if (last >= rows) {
            throw new FormatException(
                    file, 0, "has rows for layers 0.." + (rows - 1) + ", --layer-ids names layer " + last);
        }
        List<Integer> lost = new ArrayList<>(withLoad);
        lost.removeAll(ids);
        if (!lost.isEmpty()) {
            throw new FormatException(file, 0, "has load in layers " + words(lost) + ", which --layer-ids leaves out");
        }
        List<Integer> without = IntStream.range(0, rows)
                .filter(row -> !ids.contains(row))
                .boxed()
                .toList();
        List<String> notes = new ArrayList<>();
        if (!without.isEmpty()) {
            notes.add("rows left out: " + words(without) + ", "
                    + (given.layerIds().isPresent()
                            ? "as --layer-ids names the others"
                            : "as they have no load at all and so no experts; --layer-ids overrides this"));
        }
        return new FileLayers(LayerNumbering.ALL_HIDDEN, ids, ids, OptionalInt.of(rows), notes);
    }

    /** A file that names the model's own number of each layer. */
    public static FileLayers absolute(String file, List<Integer> ids, Given given) throws FormatException {
        if (given.layerIds().isPresent() && !given.layerIds().get().equals(ids)) {
            throw new FormatException(
                    file,
                    0,
                    "is of layers " + words(ids) + ", --layer-ids names "
                            + words(given.layerIds().get()));
        }
        requireAscending(file, ids);
        requireHidden(file, ids, given);
        return new FileLayers(
                LayerNumbering.ABSOLUTE,
                IntStream.range(0, ids.size()).boxed().toList(),
                ids,
                given.hiddenLayers(),
                List.of());
    }

    private static void requireAscending(String file, List<Integer> ids) throws FormatException {
        for (int i = 1; i < ids.size(); i++) {
            if (ids.get(i) <= ids.get(i - 1)) {
                throw new FormatException(file, 0, "--layer-ids must ascend: " + words(ids));
            }
        }
    }

    private static void requireHidden(String file, List<Integer> ids, Given given) throws FormatException {
        int last = ids.get(ids.size() - 1);
        if (given.hiddenLayers().isPresent() && given.hiddenLayers().getAsInt() <= last) {
            throw new FormatException(
                    file,
                    0,
                    "has a layer " + last + ", so the model has more than --hidden-layers "
                            + given.hiddenLayers().getAsInt());
        }
    }

    /** Such as {@code 3 to 60} or {@code 1, 3, 5}. */
    public static String words(List<Integer> ids) {
        int first = ids.get(0);
        int last = ids.get(ids.size() - 1);
        if (ids.size() > 2 && last - first + 1 == ids.size()) {
            return first + " to " + last;
        }
        String all =
                String.join(", ", ids.stream().limit(20).map(String::valueOf).toList());
        return ids.size() > 20 ? all + ", …" : all;
    }
}
