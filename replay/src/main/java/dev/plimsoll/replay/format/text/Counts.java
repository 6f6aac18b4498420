package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.FormatException;
import java.util.List;

/** Counts as engines write them. */
final class Counts {
    /** Of one count: beyond any engine's, and the sum of as many as a file of the largest size can hold is still a long. */
    static final long MOST = 100_000_000_000L;

    private Counts() {}

    /** Whether any frame has load in a row. */
    static boolean[] loaded(List<JsonText.Table> frames) {
        boolean[] loaded = new boolean[frames.isEmpty() ? 0 : frames.get(0).rows().length];
        for (JsonText.Table frame : frames) {
            for (int row = 0; row < loaded.length; row++) {
                for (long count : frame.rows()[row]) {
                    loaded[row] |= count > 0;
                }
            }
        }
        return loaded;
    }

    static long[][] kept(JsonText.Table table, List<Integer> rows) {
        return rows.stream().map(row -> table.rows()[row]).toArray(long[][]::new);
    }

    /** Refuses counts of another number of experts than was given. */
    static void requireExperts(String file, JsonText.Table table, java.util.OptionalInt given) throws FormatException {
        if (given.isPresent() && given.getAsInt() != table.columns()) {
            throw new FormatException(
                    file,
                    table.at()[0],
                    "has counts of " + table.columns() + " experts, --experts is " + given.getAsInt());
        }
    }
}
