package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.PlacementState;
import java.util.Arrays;

/** The sums of a window under one placement state, kept per sub-window; those that nothing fell into have no memory. */
final class Segment {
    private static final Sums UNTOUCHED = new Sums(new Spares(0, 0));

    private final PlacementState state;
    private final Spares spares;
    private final int ranks;
    private final int layers;
    private final int width;
    /** {@code [subWindow]}, each {@code [rank][layer · width + slot of the rank]} */
    private final Sums[] sums;

    /** @param spares of rows of all layers */
    Segment(PlacementState state, int subWindows, int ranks, int layers, int slotsPerRank, Spares spares) {
        this.state = state;
        this.spares = spares;
        this.ranks = ranks;
        this.layers = layers;
        this.width = slotsPerRank;
        this.sums = new Sums[subWindows];
        Arrays.fill(sums, UNTOUCHED);
    }

    PlacementState state() {
        return state;
    }

    /** Whether something fell into a sub-window. */
    boolean touches(int subWindow) {
        return sums[subWindow] != UNTOUCHED;
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

    /** Adds one rank's counters. */
    void add(LoadSample sample, int rank, int subWindow) {
        touched(subWindow).add(sample, rank, rank);
    }

    /** Takes one rank's counters away. */
    void subtract(LoadSample sample, int rank, int subWindow) {
        touched(subWindow).subtract(sample, rank, rank);
    }

    private Sums touched(int subWindow) {
        if (!touches(subWindow)) {
            sums[subWindow] = new Sums(spares);
        }
        return sums[subWindow];
    }

    /**
     * Unpacks the sums of some layers, the first a multiple of {@link Sums#ALIGNED}.
     *
     * @param into {@code [subWindow - firstSubWindow][rank][layer][slot of the rank]}, flattened, up to the end sub-window: filled in
     */
    void layers(int firstLayer, int count, long[] into) {
        int first = firstSubWindow();
        int each = count * width;
        Arrays.fill(into, 0, (endSubWindow() - first) * ranks * each, 0);
        for (int sub = first; sub < endSubWindow(); sub++) {
            for (int rank = 0; rank < ranks && touches(sub); rank++) {
                sums[sub].addTo(rank, firstLayer * width, each, into, ((sub - first) * ranks + rank) * each);
            }
        }
    }

    /** Gives its memory back. */
    void release() {
        for (Sums sum : sums) {
            sum.release();
        }
    }

    /** What its sums take. */
    long bytes() {
        long bytes = 0;
        for (Sums sum : sums) {
            bytes += sum.bytes();
        }
        return bytes;
    }

    /** What a sample could add to that. */
    long bytesFor(LoadSample sample, int subWindow) {
        return touches(subWindow)
                ? sums[subWindow].bytesFor(sample.load(), sample.firstRank(), sample.ranks())
                : bytesOfSums(ranks, layers, width, sample);
    }

    /** What the sums take that a first sample of a sub-window makes. */
    static long bytesOfSums(int ranks, int layers, int slotsPerRank, LoadSample sample) {
        return Sums.bytes(ranks, layers * slotsPerRank, sample.load().width());
    }
}
