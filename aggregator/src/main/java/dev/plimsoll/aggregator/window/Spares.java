package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** Memory of closed windows for those that open: so much as was open at once, of windows of one shape. */
final class Spares {
    private final int ranks;
    private final int row;
    private final Deque<Lanes> shorts = new ArrayDeque<>();
    private final Deque<Lanes> ints = new ArrayDeque<>();

    /** @param row sums of each rank */
    Spares(int ranks, int row) {
        this.ranks = ranks;
        this.row = row;
    }

    int ranks() {
        return ranks;
    }

    int row() {
        return row;
    }

    /** Empty ones. */
    Lanes take(int width) {
        @Nullable Lanes spare = of(width).poll();
        return spare == null ? new Lanes(ranks, row, width) : spare;
    }

    void give(int width, Lanes lanes) {
        for (int rank = 0; rank < ranks; rank++) {
            lanes.clear(rank);
        }
        of(width).push(lanes);
    }

    private Deque<Lanes> of(int width) {
        return width == Counters.SHORT ? shorts : ints;
    }
}
