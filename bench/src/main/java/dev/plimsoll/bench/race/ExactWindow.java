package dev.plimsoll.bench.race;

import dev.plimsoll.bench.load.LoadShape;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import java.util.Arrays;

/** What a window must say, summed in the plainest way. */
final class ExactWindow {
    private static final int MOST_PARTS = 8;

    private final LoadShape load;
    private final int parts;
    private final int slots;
    private final long[][][] sums;
    private long accepted;

    ExactWindow(LoadShape load) {
        this.load = load;
        this.parts = parts(load.boundariesPerWindow());
        this.slots = load.ranks() * load.slotsPerRank();
        this.sums = new long[parts][load.layers()][slots];
    }

    /** How many parts of a window are summed on their own: the most, up to eight, that are equal. */
    static int parts(int boundaries) {
        int parts = Math.min(MOST_PARTS, boundaries);
        while (boundaries % parts != 0) {
            parts--;
        }
        return parts;
    }

    /** @param boundary counted from the window's first */
    void add(int boundary, LoadSample sample) {
        long[][] part = sums[boundary * parts / load.boundariesPerWindow()];
        int at = 0;
        for (int rank = 0; rank < sample.ranks(); rank++) {
            for (int layer = 0; layer < sample.layers(); layer++) {
                int slot = (sample.firstRank() + rank) * load.slotsPerRank();
                for (int i = 0; i < load.slotsPerRank(); i++, at++) {
                    part[layer][slot + i] += sample.load().at(at);
                    accepted += sample.load().at(at);
                }
            }
        }
    }

    /** The load of all layers. */
    long accepted() {
        return accepted;
    }

    int layers() {
        return load.layers();
    }

    int slots() {
        return slots;
    }

    /** Whether a record has the sums of its layer, over the slots that it has. */
    boolean holds(LoadWindow record) {
        int size = record.load().size();
        int first = record.firstSlot();
        if (first + size > slots || record.subWindows() != parts) {
            return false;
        }
        long[] total = new long[size];
        long[] all = new long[parts * size];
        for (int part = 0; part < parts; part++) {
            long[] exact = sums[part][record.layer()];
            System.arraycopy(exact, first, all, part * size, size);
            for (int slot = 0; slot < size; slot++) {
                total[slot] += exact[first + slot];
            }
        }
        return Arrays.equals(total, record.load().toArray())
                && Arrays.equals(all, record.subLoad().toArray());
    }
}
