package dev.plimsoll.worker.explorer;

import java.util.Arrays;
import java.util.BitSet;

/** Which world follows from which. */
final class Edges {
    /** Pairs of a world and one that can follow. */
    private int[] pairs = new int[1 << 12];

    private int count;
    /** By world the first that it followed from. */
    private int[] parents = new int[1 << 12];

    private int known = 1;

    void add(int from, int to) {
        if (2 * count + 2 > pairs.length) {
            pairs = Arrays.copyOf(pairs, pairs.length * 2);
        }
        pairs[2 * count] = from;
        pairs[2 * count + 1] = to;
        count++;
        if (to == known) {
            if (to == parents.length) {
                parents = Arrays.copyOf(parents, to * 2);
            }
            parents[known++] = from;
        }
    }

    int size() {
        return count;
    }

    int parent(int world) {
        return parents[world];
    }

    /** The worlds from which one of {@code goals} can be reached. */
    BitSet whence(BitSet goals, int worlds) {
        int[] first = new int[worlds + 1];
        for (int i = 0; i < count; i++) {
            first[pairs[2 * i + 1]]++;
        }
        for (int i = 1; i <= worlds; i++) {
            first[i] += first[i - 1];
        }
        int[] before = new int[count];
        for (int i = 0; i < count; i++) {
            before[--first[pairs[2 * i + 1]]] = pairs[2 * i];
        }
        BitSet found = (BitSet) goals.clone();
        int[] queue = new int[worlds];
        int end = 0;
        for (int world = goals.nextSetBit(0); world >= 0; world = goals.nextSetBit(world + 1)) {
            queue[end++] = world;
        }
        for (int at = 0; at < end; at++) {
            for (int i = first[queue[at]]; i < first[queue[at] + 1]; i++) {
                if (!found.get(before[i])) {
                    found.set(before[i]);
                    queue[end++] = before[i];
                }
            }
        }
        return found;
    }
}
