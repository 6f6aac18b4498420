package dev.plimsoll.simulator;

import java.nio.IntBuffer;
import java.util.Arrays;

/** A growable list of packed assignments, reused at every step; see {@link AssignmentLayout}. */
final class AssignmentList {
    private int[] items = new int[64];
    private int size;

    void add(int assignment) {
        if (size == items.length) {
            items = Arrays.copyOf(items, size * 2);
        }
        items[size++] = assignment;
    }

    int get(int index) {
        return items[index];
    }

    int size() {
        return size;
    }

    void copyTo(IntBuffer target, int at) {
        target.put(at, items, 0, size);
    }

    void clear() {
        size = 0;
    }
}
