package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * What {@link Descent} promises, in the plainest way: every candidate step is made on a copy, whose potential is computed from
 * scratch.
 */
final class NaiveDescent {
    private static final int RANKS_TRIED = 4;
    /** Scores nearer than this may be in another order when they are computed in another way. */
    private static final double TIE = 1e-13;

    private final MoveCosts costs;
    private final double price;
    private final double least;

    private LayerState state;
    private double bestScore;
    private int[] best = {};
    private boolean tie;
    private boolean tied;

    NaiveDescent(LayerState start, MoveCosts costs, double price, double least) {
        this.costs = costs;
        this.price = price;
        this.least = least;
        this.state = start.at(start.expertOf);
    }

    /** Steps until none pays; at most {@code steps}. */
    LayerState descend(int steps) {
        for (int step = 0; step < steps && findStep(); step++) {
            state = state.at(best);
        }
        return state;
    }

    /** Whether any step was one of several that are equally good, or nearly. */
    boolean tied() {
        return tied;
    }

    private boolean findStep() {
        boolean[] tried = new boolean[state.ranks];
        for (int attempt = 0; attempt < Math.min(RANKS_TRIED, state.ranks); attempt++) {
            int hot = -1;
            for (int rank = 0; rank < state.ranks; rank++) {
                hot = !tried[rank] && (hot < 0 || state.potential[rank] > state.potential[hot]) ? rank : hot;
            }
            for (int rank = 0; rank < state.ranks; rank++) {
                double less = state.potential[hot] - state.potential[rank];
                tied |= !tried[rank] && rank != hot && less < TIE && state.potential[hot] > TIE;
            }
            if (state.potential[hot] <= 0) {
                return false;
            }
            tried[hot] = true;
            if (findStep(hot)) {
                return true;
            }
        }
        return false;
    }

    private boolean findStep(int hot) {
        bestScore = least;
        best = new int[0];
        tie = false;
        int first = hot * state.slotsPerRank;
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            for (int other = 0; other < state.slots(); other++) {
                if (!state.holds(hot, state.expertOf[other])
                        && !state.holds(state.rankOf(other), state.expertOf[slot])) {
                    consider(slot, state.expertOf[other], other, state.expertOf[slot]);
                }
            }
        }
        for (int other = 0; other < state.slots(); other++) {
            for (int slot = first; slot < first + state.slotsPerRank; slot++) {
                considerReplacement(other, state.expertOf[slot]);
            }
        }
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            for (int expert = 0; expert < state.experts; expert++) {
                considerReplacement(slot, expert);
            }
        }
        tied |= tie;
        return best.length > 0;
    }

    private void considerReplacement(int slot, int incoming) {
        if (state.replicas[state.expertOf[slot]] > 1 && !state.holds(state.rankOf(slot), incoming)) {
            consider(slot, incoming, slot, incoming);
        }
    }

    private void consider(int slot, int incoming, int other, int incomingToo) {
        int[] placed = state.expertOf.clone();
        placed[slot] = incoming;
        placed[other] = incomingToo;
        double cost = cost(placed) - cost(state.expertOf);
        double net = state.potential() - state.at(placed).potential() - price * cost;
        double score = cost > 1 ? net / cost : net;
        if (score > bestScore + TIE) {
            bestScore = score;
            best = placed;
            tie = false;
        } else if (score > bestScore - TIE && !Arrays.equals(placed, best)) {
            tie = true;
        }
    }

    /** Price of all moves together. */
    private double cost(int[] placed) {
        double sum = 0;
        for (int slot = 0; slot < placed.length; slot++) {
            sum += costs.of(state.rankOf(slot), placed[slot]);
        }
        return sum;
    }
}
