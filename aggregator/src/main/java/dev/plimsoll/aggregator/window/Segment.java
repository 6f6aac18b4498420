package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.PlacementState;
import java.util.Arrays;

/** The sums of a window under one placement state, kept per sub-window; those that nothing fell into have no memory. */
final class Segment {
    private static final long[] UNTOUCHED = {};

    private final PlacementState state;
    private final int layers;
    private final int slots;
    /** {@code [subWindow][layer · slots + slot]} */
    private final long[][] sums;

    Segment(PlacementState state, int subWindows, int layers, int slots) {
        this.state = state;
        this.layers = layers;
        this.slots = slots;
        this.sums = new long[subWindows][];
        Arrays.fill(sums, UNTOUCHED);
    }

    PlacementState state() {
        return state;
    }

    int subWindows() {
        return sums.length;
    }

    /** Adds one rank's counters and returns their sum per layer of the sample. */
    long[] add(LoadSample sample, int rank, int subWindow, int sign) {
        if (sums[subWindow].length == 0) {
            sums[subWindow] = new long[layers * slots];
        }
        long[] sum = sums[subWindow];
        int width = sample.slotsPerRank();
        long[] loadOfLayer = new long[sample.layers()];
        int source = (rank - sample.firstRank()) * sample.layers() * width;
        for (int layer = 0; layer < sample.layers(); layer++) {
            int target = (sample.firstLayer() + layer) * slots + rank * width;
            long total = 0;
            for (int slot = 0; slot < width; slot++) {
                long value = sample.load().at(source++);
                sum[target + slot] += sign * value;
                total += value;
            }
            loadOfLayer[layer] = total;
        }
        return loadOfLayer;
    }

    /** {@code [subWindow · (to - from) + slot - from]} of one layer. */
    long[] subLoad(int layer, int from, int to) {
        int width = to - from;
        long[] values = new long[sums.length * width];
        for (int sub = 0; sub < sums.length; sub++) {
            if (sums[sub].length != 0) {
                System.arraycopy(sums[sub], layer * slots + from, values, sub * width, width);
            }
        }
        return values;
    }

    /** {@code [slot]} of one layer, over all sub-windows. */
    long[] load(int layer) {
        long[] load = new long[slots];
        for (long[] sum : sums) {
            for (int slot = 0; sum.length != 0 && slot < slots; slot++) {
                load[slot] = Math.addExact(load[slot], sum[layer * slots + slot]);
            }
        }
        return load;
    }
}
