package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import java.util.Arrays;

/**
 * Sums of one width in rows, several to a long: what counters of that width are added to without being widened, as long as none
 * overflows.
 */
final class Lanes {
    /** Of a sum's place in its row: to divide by lanes, and what is left of it; there are 2 or 4. */
    private final int laneShift;

    private final int laneMask;
    private final int bits;
    private final long most;
    private final int longsOfRow;
    /** {@code [row · longsOfRow + i / lanes]}: the first in the lowest bits. */
    private final long[] packed;
    /** {@code [row]} none of its sums is larger. */
    private final long[] bounds;

    /** @param width bytes of a sum, fewer than a long has */
    Lanes(int rows, int row, int width) {
        this.bits = Byte.SIZE * width;
        this.laneMask = Long.BYTES / width - 1;
        this.laneShift = Integer.bitCount(laneMask);
        this.most = (1L << bits) - 1;
        this.longsOfRow = (row + laneMask) >> laneShift;
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
        int aligned = Math.min(end, (at + laneMask) & ~laneMask);
        for (int i = at; i < aligned; i++) {
            addOne(row, i, counters.at(from + i - at));
        }
        int longs = (end - aligned) >> laneShift;
        counters.addLanes(from + aligned - at, longs, packed, row * longsOfRow + (aligned >> laneShift));
        for (int i = aligned + (longs << laneShift); i < end; i++) {
            addOne(row, i, counters.at(from + i - at));
        }
    }

    private void addOne(int row, int at, long value) {
        packed[row * longsOfRow + (at >> laneShift)] += value << ((at & laneMask) * bits);
    }

    long at(int row, int at) {
        return packed[row * longsOfRow + (at >> laneShift)] >>> ((at & laneMask) * bits) & most;
    }

    /** Adds the sums {@code [at, at + count)} of a row, the first of which begins a long, to {@code into[to]} and behind it. */
    void addTo(int row, int at, int count, long[] into, int to) {
        int first = row * longsOfRow + (at >> laneShift);
        int whole = count >> laneShift;
        int next = to;
        for (int i = first; i < first + whole; i++) {
            long several = packed[i];
            for (int shift = 0; shift < Long.SIZE; shift += bits) {
                into[next++] += several >>> shift & most;
            }
        }
        for (int i = at + (whole << laneShift); i < at + count; i++) {
            into[next++] += at(row, i);
        }
    }

    /** Adds a row of narrower sums, all of which fit. */
    void add(Lanes narrower, int row) {
        bounds[row] += narrower.most;
        // A narrower row is filled up to more places, which are zero.
        for (int i = 0; i < longsOfRow << laneShift; i++) {
            addOne(row, i, narrower.at(row, i));
        }
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
