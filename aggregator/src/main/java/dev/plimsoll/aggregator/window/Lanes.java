package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import java.util.Arrays;

/**
 * Sums of one width in rows, several to a long: what counters of that width are added to without being widened, as long as none
 * overflows.
 */
final class Lanes {
    private final int width;
    private final int lanes;
    private final long most;
    private final int longsOfRow;
    /** {@code [row · longsOfRow + i / lanes]}: the first in the lowest bits. */
    private final long[] packed;
    /** {@code [row]} none of its sums is larger. */
    private final long[] bounds;

    /** @param width bytes of a sum, fewer than a long has */
    Lanes(int rows, int row, int width) {
        this.width = width;
        this.lanes = Long.BYTES / width;
        this.most = (1L << (Byte.SIZE * width)) - 1;
        this.longsOfRow = (row + lanes - 1) / lanes;
        this.packed = new long[Math.multiplyExact(rows, longsOfRow)];
        this.bounds = new long[rows];
    }

    /** Whether counters with these bits ({@link Counters#bits}) can be added to a row. */
    boolean fits(int row, long bits) {
        return bounds[row] + bits <= most;
    }

    /** Adds the counters {@code [from, from + count)}, which fit, to a row's sums from {@code at} on. */
    void add(Counters counters, int from, int count, int row, int at) {
        bounds[row] += counters.bits();
        int end = at + count;
        int aligned = Math.min(end, (at + lanes - 1) / lanes * lanes);
        for (int i = at; i < aligned; i++) {
            addOne(row, i, counters.at(from + i - at));
        }
        int longs = (end - aligned) / lanes;
        counters.addLanes(from + aligned - at, longs, packed, row * longsOfRow + aligned / lanes);
        for (int i = aligned + longs * lanes; i < end; i++) {
            addOne(row, i, counters.at(from + i - at));
        }
    }

    private void addOne(int row, int at, long value) {
        packed[row * longsOfRow + at / lanes] += value << shift(at);
    }

    private int shift(int at) {
        return at % lanes * width * Byte.SIZE;
    }

    long at(int row, int at) {
        return packed[row * longsOfRow + at / lanes] >>> shift(at) & most;
    }

    void clear(int row) {
        Arrays.fill(packed, row * longsOfRow, (row + 1) * longsOfRow, 0);
        bounds[row] = 0;
    }

    /** What they take. */
    static long bytes(int rows, int row, int width) {
        int lanes = Long.BYTES / width;
        return (long) Long.BYTES * rows * ((row + lanes - 1) / lanes + 1);
    }
}
