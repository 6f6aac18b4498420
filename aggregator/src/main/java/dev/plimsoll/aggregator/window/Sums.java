package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import java.util.Arrays;

/**
 * Sums of counters in rows, one per rank, as samples have them: {@code [rank][layer][slot]} and not {@code [layer][slot]}, so that a
 * rank's part of a sample is one run that is added to another.
 *
 * <p>Two sums share a long while both are below 2^32: then a run of ints is added as half as many longs, without being widened, in a
 * loop that C2 vectorises ({@link Counters#addPairs}). What may have become larger is carried to longs of its own, by row and rarely.
 */
final class Sums {
    private static final long MOST = 0xFFFF_FFFFL;
    private static final long[] NONE = {};

    private final int row;
    private final int pairsOfRow;
    /** {@code [rank · pairsOfRow + i / 2]}: even places in the low half. */
    private final long[] pairs;
    /** {@code [rank]} none of its halves is larger. */
    private final long[] bounds;
    /** {@code [rank · row + i]} to be added to the halves; empty until it is needed. */
    private long[] large = NONE;

    /** @param row sums of each rank */
    Sums(int ranks, int row) {
        this.row = row;
        this.pairsOfRow = (row + 1) / 2;
        this.pairs = new long[Math.multiplyExact(ranks, pairsOfRow)];
        this.bounds = new long[ranks];
    }

    /** Adds the counters {@code [from, from + count)} to a rank's sums from {@code at} on. */
    void add(Counters counters, int from, int count, int rank, int at) {
        if (counters.width() == Counters.WIDE) {
            addLarge(counters, from, count, rank, at, 1);
            return;
        }
        if (bounds[rank] + counters.bits() > MOST) {
            carry(rank);
        }
        bounds[rank] += counters.bits();
        int first = from;
        int left = count;
        int pair = rank * pairsOfRow + at / 2;
        if (at % 2 == 1) {
            pairs[pair++] += counters.at(first++) << Integer.SIZE;
            left--;
        }
        counters.addPairs(first, left / 2, pairs, pair);
        if (left % 2 == 1) {
            pairs[pair + left / 2] += counters.at(first + left - 1);
        }
    }

    /** Adds them one by one, or takes them away. */
    void addLarge(Counters counters, int from, int count, int rank, int at, int sign) {
        if (large.length == 0) {
            large = new long[bounds.length * row];
        }
        int target = rank * row + at;
        for (int i = 0; i < count; i++) {
            large[target + i] += sign * counters.at(from + i);
        }
    }

    private void carry(int rank) {
        if (large.length == 0) {
            large = new long[bounds.length * row];
        }
        for (int i = 0; i < row; i++) {
            large[rank * row + i] += half(rank, i);
        }
        Arrays.fill(pairs, rank * pairsOfRow, (rank + 1) * pairsOfRow, 0);
        bounds[rank] = 0;
    }

    private long half(int rank, int at) {
        return pairs[rank * pairsOfRow + at / 2] >>> (at % 2 * Integer.SIZE) & MOST;
    }

    long at(int rank, int at) {
        return half(rank, at) + (large.length == 0 ? 0 : large[rank * row + at]);
    }

    /** What it takes. */
    long bytes() {
        return 8L * (pairs.length + bounds.length + large.length);
    }

    /** What it will take at first. */
    static long bytes(int ranks, int row) {
        return 8L * ranks * ((row + 1) / 2 + 1);
    }

    /** What adding these counters could add to that. */
    long bytesFor(Counters counters, int firstRank, int ranks) {
        boolean carries = counters.width() == Counters.WIDE;
        for (int rank = firstRank; rank < firstRank + ranks; rank++) {
            carries |= bounds[rank] + counters.bits() > MOST;
        }
        return carries && large.length == 0 ? 8L * bounds.length * row : 0;
    }
}
