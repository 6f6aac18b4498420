package dev.plimsoll.aggregator.window;

import java.util.Arrays;

/** A set of 64-bit hashes, 8 to 32 bytes each: what cells were seen, without an object for each. */
final class Fingerprints {
    private static final long ODD = 0x9E3779B97F4A7C15L;
    private static final long[] NONE = {};

    /** Open addressing; 0 is a free place, and stands for itself in {@link #hasZero}. */
    private long[] places = NONE;

    private int size;
    private boolean hasZero;

    /** Returns whether it was not there. */
    boolean add(long hash) {
        if (hash == 0) {
            boolean added = !hasZero;
            hasZero = true;
            return added;
        }
        if (2 * (size + 1) > places.length) {
            grow();
        }
        int place = place(hash);
        if (places[place] == hash) {
            return false;
        }
        places[place] = hash;
        size++;
        return true;
    }

    boolean contains(long hash) {
        return hash == 0 ? hasZero : size > 0 && places[place(hash)] == hash;
    }

    private int place(long hash) {
        int mask = places.length - 1;
        int place = (int) ((hash * ODD) >>> 32) & mask;
        while (places[place] != 0 && places[place] != hash) {
            place = (place + 1) & mask;
        }
        return place;
    }

    private void grow() {
        long[] old = places;
        places = new long[Math.max(16, 2 * old.length)];
        Arrays.stream(old).filter(hash -> hash != 0).forEach(hash -> places[place(hash)] = hash);
    }

    /** What it takes; follows from the number of hashes alone. */
    long bytes() {
        return 8L * places.length;
    }
}
