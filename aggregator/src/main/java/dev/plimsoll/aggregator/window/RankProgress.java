package dev.plimsoll.aggregator.window;

/**
 * How far each rank has reported, per layer, since samples of one boundary may come cut by layers: a rank is <em>past</em> a step
 * when any of its layers is, and <em>done</em> with it when all are.
 */
final class RankProgress {
    private final int ranks;
    private final int layers;
    /** {@code [rank]} end of the latest sample that had all layers. */
    private final long[] whole;
    /** {@code [rank][layer]} end of the latest sample that was cut by layers; empty while none was. */
    private long[] reported = {};
    /** {@code [rank]} the maximum over layers. */
    private final long[] furthest;

    private long leader;

    RankProgress(int ranks, int layers) {
        this.ranks = ranks;
        this.layers = layers;
        this.whole = new long[ranks];
        this.furthest = new long[ranks];
    }

    void report(int rank, int firstLayer, int count, long step) {
        if (count == layers) {
            whole[rank] = Math.max(whole[rank], step);
        } else {
            if (reported.length == 0) {
                reported = new long[ranks * layers];
            }
            int from = rank * layers + firstLayer;
            for (int i = from; i < from + count; i++) {
                reported[i] = Math.max(reported[i], step);
            }
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
            if (!without.contains(rank) && !isDoneWith(rank, step)) {
                return false;
            }
        }
        return true;
    }

    private boolean isDoneWith(int rank, long step) {
        if (whole[rank] >= step) {
            return true;
        }
        for (int i = rank * layers; i < (rank + 1) * layers; i++) {
            if (reported.length == 0 || reported[i] < step) {
                return false;
            }
        }
        return true;
    }
}
