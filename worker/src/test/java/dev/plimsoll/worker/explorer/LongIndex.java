package dev.plimsoll.worker.explorer;

/** Numbers of 64 bits and the place of each, in the order in which they came. */
final class LongIndex {
    private long[] keys = new long[1 << 12];
    /** Place plus 1; 0 where there is no key. */
    private int[] places = new int[keys.length];

    private int size;

    int size() {
        return size;
    }

    /** Place of a key, or the complement of the place that it has got now. */
    int put(long key) {
        int at = find(key);
        if (places[at] != 0) {
            return places[at] - 1;
        }
        keys[at] = key;
        places[at] = ++size;
        if (size * 2 > keys.length) {
            grow();
        }
        return ~(size - 1);
    }

    private int find(long key) {
        int mask = keys.length - 1;
        long mixed = key * 0x9e3779b97f4a7c15L;
        int at = (int) (mixed ^ mixed >>> 32) & mask;
        while (places[at] != 0 && keys[at] != key) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldPlaces = places;
        keys = new long[oldKeys.length * 2];
        places = new int[keys.length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldPlaces[i] != 0) {
                int at = find(oldKeys[i]);
                keys[at] = oldKeys[i];
                places[at] = oldPlaces[i];
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
