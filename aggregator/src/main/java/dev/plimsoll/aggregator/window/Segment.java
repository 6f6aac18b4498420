package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.PlacementState;
import java.util.Arrays;

/**
 * The sums of a window under one placement state, kept per sub-window; those that nothing fell into have no memory.
 *
 * <p>Tokens computed are kept in a row for each rank. Tokens sent are one row for all ranks' slots, to which every rank adds.
 */
final class Segment {
    private static final Sums UNTOUCHED = new Sums(new Spares(0, 0));

    private final PlacementState state;
    private final Spares spares;
    private final boolean sent;
    private final int rows;
    private final int layers;
    private final int width;
    /** {@code [subWindow]}, each {@code [row][layer · width + slot of the row]} */
    private final Sums[] sums;

    /**
     * @param width slots of a row: of a rank, or of all ranks
     * @param spares of rows of all layers
     */
    Segment(PlacementState state, LoadKind kind, int subWindows, int layers, int width, Spares spares) {
        this.state = state;
        this.spares = spares;
        this.sent = kind == LoadKind.ROUTED_TO;
        this.rows = spares.ranks();
        this.layers = layers;
        this.width = width;
        this.sums = new Sums[subWindows];
        Arrays.fill(sums, UNTOUCHED);
    }

    PlacementState state() {
        return state;
    }

    int rows() {
        return rows;
    }

    /** Slots of a row. */
    int width() {
        return width;
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
        touched(subWindow).add(sample, rank, sent ? 0 : rank);
    }

    /** Takes one rank's counters away. */
    void subtract(LoadSample sample, int rank, int subWindow) {
        touched(subWindow).subtract(sample, rank, sent ? 0 : rank);
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
     * @param into {@code [subWindow - firstSubWindow][row][layer][slot of the row]}, flattened, up to the end sub-window: filled in
     */
    void layers(int firstLayer, int count, long[] into) {
        int first = firstSubWindow();
        int each = count * width;
        Arrays.fill(into, 0, (endSubWindow() - first) * rows * each, 0);
        for (int sub = first; sub < endSubWindow(); sub++) {
            for (int row = 0; row < rows && touches(sub); row++) {
                sums[sub].addTo(row, firstLayer * width, each, into, ((sub - first) * rows + row) * each);
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
        if (!touches(subWindow)) {
            return Sums.bytes(rows, layers * width, sample.load().width());
        }
        return sent
                ? sums[subWindow].bytesFor(sample.load(), 0, 1, sample.ranks())
                : sums[subWindow].bytesFor(sample.load(), sample.firstRank(), sample.ranks(), 1);
    }
}
