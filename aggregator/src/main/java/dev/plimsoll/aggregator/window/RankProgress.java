package dev.plimsoll.aggregator.window;

import java.util.Arrays;

/**
 * How far each rank has reported, per layer, since samples of one boundary may come cut by layers: a rank is <em>past</em> a step
 * when any of its layers is, and <em>done</em> with it when all are.
 */
final class RankProgress {
    private final int ranks;
    private final int layers;
    /** {@code [rank][layer]} end of the latest sample. */
    private final long[] reported;
    /** {@code [rank]} the maximum over layers. */
    private final long[] furthest;

    private long leader;

    RankProgress(int ranks, int layers) {
        this.ranks = ranks;
        this.layers = layers;
        this.reported = new long[ranks * layers];
        this.furthest = new long[ranks];
    }

    void report(int rank, int firstLayer, int count, long step) {
        int from = rank * layers + firstLayer;
        for (int i = from; i < from + count; i++) {
            reported[i] = Math.max(reported[i], step);
        }
        furthest[rank] = Math.max(furthest[rank], step);
        leader = Math.max(leader, step);
    }

    int ranksPast(long step) {
        if (leader < step) {
            return 0;
        }
        return (int) Arrays.stream(furthest).filter(reached -> reached >= step).count();
    }

    boolean allDoneWith(long step) {
        return ranksPast(step) == ranks && Arrays.stream(reported).allMatch(reached -> reached >= step);
    }
}
