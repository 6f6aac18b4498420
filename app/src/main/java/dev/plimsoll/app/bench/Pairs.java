package dev.plimsoll.app.bench;

import java.util.Arrays;

/**
 * What one thing takes more than another, of pairs that were measured next to each other: the median of the differences, and where it
 * lies with 95 % confidence. What both of a pair suffer from a machine that others use cancels out, as it does not in a difference of
 * two medians, each of which jumps between the modes of a wake-up.
 */
final class Pairs {
    private static final double WIDTH_OF_95 = 0.98;

    private long[] bases = new long[1024];
    private long[] differences = new long[1024];
    private int count;

    void add(long base, long other) {
        if (count == bases.length) {
            bases = Arrays.copyOf(bases, 2 * count);
            differences = Arrays.copyOf(differences, 2 * count);
        }
        bases[count] = base;
        differences[count++] = other - base;
    }

    int count() {
        return count;
    }

    /** Median of the pairs' first; 0 where there are none. */
    long base() {
        return at(bases, count / 2);
    }

    /** Median of the differences; 0 where there are none. */
    long more() {
        return at(differences, count / 2);
    }

    /** The median lies between this and {@link #high}, by the order of the differences alone, whatever their distribution. */
    long low() {
        return at(differences, outer());
    }

    long high() {
        return at(differences, count - 1 - outer());
    }

    /** The median of the differences as a share of the base's. */
    double share() {
        return base() == 0 ? 0 : (double) more() / base();
    }

    private int outer() {
        return Math.max(0, (int) Math.floor(count / 2.0 - WIDTH_OF_95 * Math.sqrt(count)));
    }

    private long at(long[] values, int rank) {
        if (count == 0) {
            return 0;
        }
        long[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return sorted[Math.max(0, rank)];
    }
}
