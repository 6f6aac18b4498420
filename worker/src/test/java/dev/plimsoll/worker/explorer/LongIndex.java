package dev.plimsoll.worker.explorer;

/** Numbers of 64 bits and the place of each, in the order in which they came. */
final class LongIndex {
    /** Keys, each with its place plus 1 behind it, so that a look at one is a look at both; 0 behind it where there is none. */
    private long[] entries = new long[1 << 13];

    private int size;

    int size() {
        return size;
    }

    /** Place of a key, or the complement of the place that it has got now. */
    int put(long key) {
        int at = find(key);
        if (entries[at + 1] != 0) {
            return (int) entries[at + 1] - 1;
        }
        entries[at] = key;
        entries[at + 1] = ++size;
        if (size * 4L > entries.length) {
            grow();
        }
        return ~(size - 1);
    }

    private int find(long key) {
        int mask = entries.length - 1;
        long mixed = key * 0x9e3779b97f4a7c15L;
        int at = (int) (mixed ^ mixed >>> 32) << 1 & mask;
        while (entries[at + 1] != 0 && entries[at] != key) {
            at = at + 2 & mask;
        }
        return at;
    }

    private void grow() {
        long[] old = entries;
        entries = new long[old.length * 2];
        for (int i = 0; i < old.length; i += 2) {
            if (old[i + 1] != 0) {
                int at = find(old[i]);
                entries[at] = old[i];
                entries[at + 1] = old[i + 1];
            }
        }
    }

    /** 64 bits that are equal for equal numbers and for others, as good as always, are not. */
    static long fingerprint(int[] numbers) {
        long hash = 0x2545f4914f6cdd1dL;
        for (int number : numbers) {
            hash ^= number;
            hash *= 0xff51afd7ed558ccdL;
            hash ^= hash >>> 32;
        }
        hash *= 0xc4ceb9fe1a85ec53L;
        return hash ^ hash >>> 29;
    }
}
