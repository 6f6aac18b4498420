package dev.plimsoll.aggregator.window;

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
        int past = 0;
        for (long reached : furthest) {
            past += reached >= step ? 1 : 0;
        }
        return past;
    }

    boolean isPast(int rank, long step) {
        return furthest[rank] >= step;
    }

    /** Whether all that are waited for are done. */
    boolean allDoneWith(long step, Lapsed without) {
        if (ranksPast(step) < without.others()) {
            return false;
        }
        for (int rank = 0; rank < ranks; rank++) {
            for (int i = rank * layers; i < (rank + 1) * layers && !without.contains(rank); i++) {
                if (reported[i] < step) {
                    return false;
                }
            }
        }
        return true;
    }
}
