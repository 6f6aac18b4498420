package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.FormatException;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/** Lists of numbers by layer, {@code {"0": [...], "1": [...]}}: all of one length. */
final class Assignments {
    private static final int MOST_LAYERS = 4096;

    private record Row(long at, long[] experts) {}

    private final String file;
    private final TreeMap<Integer, Row> rows = new TreeMap<>();

    Assignments(String file) {
        this.file = file;
    }

    /** The current value of the document is such an object. */
    void read(JsonText json, String what) throws IOException {
        json.object(what, name -> {
            long at = json.at();
            put(name, at, json.wholes(what + "." + name, 0, SlotMaps.MOST - 1), what);
        });
    }

    void put(String name, long at, long[] experts, String what) throws FormatException {
        int layer = layer(name, at, what);
        if (rows.size() == MOST_LAYERS) {
            throw new FormatException(file, at, what + " has more than " + MOST_LAYERS + " layers");
        }
        if (rows.put(layer, new Row(at, experts)) != null) {
            throw new FormatException(file, at, what + " names layer " + layer + " twice");
        }
    }

    private int layer(String name, long at, String what) throws FormatException {
        if (!name.matches("0|[1-9][0-9]{0,5}")) {
            throw new FormatException(
                    file,
                    at,
                    what + " names '"
                            + (name.length() > 40 ? name.substring(0, 40) + "…" : name).replaceAll("\\p{Cntrl}", "?")
                            + "', which is not the number of a layer");
        }
        return Integer.parseInt(name);
    }

    boolean any() {
        return !rows.isEmpty();
    }

    /** Numbers of the layers, ascending. */
    Map<Integer, long[]> experts() {
        TreeMap<Integer, long[]> experts = new TreeMap<>();
        rows.forEach((layer, row) -> experts.put(layer, row.experts()));
        return experts;
    }

    /**
     * The rows in order of layers.
     *
     * @param length that each must have, 0 for that of the first
     */
    JsonText.Table table(int length) throws FormatException {
        long[][] experts = new long[rows.size()][];
        long[] at = new long[rows.size()];
        int i = 0;
        int wanted = length == 0 ? rows.firstEntry().getValue().experts().length : length;
        for (Map.Entry<Integer, Row> row : rows.entrySet()) {
            experts[i] = row.getValue().experts();
            at[i] = row.getValue().at();
            if (experts[i].length != wanted) {
                throw new FormatException(
                        file,
                        at[i],
                        "layer " + row.getKey() + " has " + experts[i].length + " slots, must have " + wanted);
            }
            i++;
        }
        return new JsonText.Table(experts, at);
    }

    /** Refuses numbers of layers that are not 0, 1, 2 and so on. */
    void requireFromZero(String otherwise) throws FormatException {
        int expected = 0;
        for (Map.Entry<Integer, Row> row : rows.entrySet()) {
            if (row.getKey() != expected) {
                throw new FormatException(
                        file,
                        row.getValue().at(),
                        "has layer " + row.getKey() + " where " + expected + " must follow: vLLM counts layers with"
                                + " experts from 0" + otherwise);
            }
            expected++;
        }
    }
}
