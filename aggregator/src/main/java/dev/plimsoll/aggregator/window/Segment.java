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

    /** Whether something fell into a sub-window. */
    boolean touches(int subWindow) {
        return sums[subWindow].length != 0;
    }

    /** The first sub-window that something fell into; 0 when there is none. */
    int firstSubWindow() {
        int first = 0;
        while (first < sums.length && !touches(first)) {
            first++;
        }
        return first % sums.length;
    }

    /** Behind the last sub-window that something fell into; 0 when there is none. */
    int endSubWindow() {
        int end = sums.length;
        while (end > 0 && !touches(end - 1)) {
            end--;
        }
        return end;
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

    /** {@code [subWindow - firstSubWindow][slot - from]} of one layer, flattened, up to the end sub-window. */
    long[] subLoad(int layer, int from, int to) {
        int width = to - from;
        int first = firstSubWindow();
        int count = Math.max(0, endSubWindow() - first);
        long[] values = new long[count * width];
        for (int sub = 0; sub < count; sub++) {
            if (touches(first + sub)) {
                System.arraycopy(sums[first + sub], layer * slots + from, values, sub * width, width);
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
