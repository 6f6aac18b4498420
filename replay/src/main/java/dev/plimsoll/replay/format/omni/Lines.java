package dev.plimsoll.replay.format.omni;

import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.IOException;

/** Lines of counts, each count followed by a tab or, at the end of a line, by nothing; as many in every line. */
final class Lines {
    private final String file;
    private final byte[] bytes;
    private int at;

    private Lines(String file, byte[] bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /** {@code [line][column]}, at least one of each. */
    static long[][] read(Input input, String file) throws IOException {
        Lines lines = new Lines(file, input.bytes(file));
        int rows = 0;
        int first = lines.columns();
        for (byte b : lines.bytes) {
            rows += b == '\n' ? 1 : 0;
        }
        rows += lines.bytes.length > 0 && lines.bytes[lines.bytes.length - 1] != '\n' ? 1 : 0;
        if (rows == 0 || first == 0 || rows > FileLayers.MOST) {
            throw new FormatException(
                    file,
                    0,
                    "has " + rows + " lines of " + first + " counts: needs 1 to " + FileLayers.MOST
                            + " lines, one for each layer, and at least one count");
        }
        if ((long) rows * first * 2 > lines.bytes.length + (long) rows) {
            throw new FormatException(
                    file,
                    0,
                    "has " + rows + " lines, and " + first + " counts in the first, for which it is too" + " short");
        }
        long[] one = new long[first];
        for (int row = 0; row < rows; row++) {
            lines.read(one); // room for all is made only when all are seen to be right
        }
        lines.at = 0;
        long[][] counts = new long[rows][first];
        for (long[] row : counts) {
            lines.read(row);
        }
        return counts;
    }

    /** In the first line. */
    private int columns() {
        int columns = 0;
        boolean digits = false;
        for (byte b : bytes) {
            if (b == '\n') {
                break;
            }
            boolean digit = b >= '0' && b <= '9';
            columns += digit && !digits ? 1 : 0;
            digits = digit;
        }
        return columns;
    }

    private void read(long[] row) throws FormatException {
        for (int column = 0; column < row.length; column++) {
            row[column] = count(column, row.length);
            if (at < bytes.length && bytes[at] == '\t') {
                at++;
            } else if (column + 1 < row.length) {
                throw wrong("has " + (column + 1) + " counts in a line and then something else than a tab: needs "
                        + row.length);
            }
        }
        if (at < bytes.length && bytes[at] == '\r') {
            at++;
        }
        if (at < bytes.length && bytes[at++] != '\n') {
            at--;
            throw wrong("has more than " + row.length
                    + " counts in a line, which the first has, or something that is none");
        }
    }

    private long count(int column, int columns) throws FormatException {
        int from = at;
        long count = 0;
        while (at < bytes.length && bytes[at] >= '0' && bytes[at] <= '9') {
            count = count * 10 + bytes[at] - '0';
            if (count > Numbers.MOST_IN_ALL) {
                throw wrong("has a count above 2^53");
            }
            at++;
        }
        if (at == from) {
            throw wrong("has no count there, the " + (column + 1) + "th of " + columns + " in a line");
        }
        return count;
    }

    private FormatException wrong(String reason) {
        return new FormatException(file, at, reason);
    }
}
