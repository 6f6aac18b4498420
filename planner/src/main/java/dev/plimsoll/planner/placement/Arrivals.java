package dev.plimsoll.planner.placement;

/** Experts of a layer that are on ranks where they were not settled, while it is being changed: how many, within which budget, and for what. */
final class Arrivals {
    private final LayerState state;
    private final MoveCosts costs;
    private final Budget budget;
    /** {@code [rank]}. */
    private final int[] intoRank;
    /** {@code [rank · experts + expert]}. */
    private final double[] fallOf;

    private int moves;

    Arrivals(LayerState state, MoveCosts costs, Budget budget) {
        this.state = state;
        this.costs = costs;
        this.budget = budget;
        this.intoRank = new int[state.ranks];
        this.fallOf = new double[state.ranks * state.experts];
        for (int slot = 0; slot < state.slots(); slot++) {
            int arrived = arrival(state.rankOf(slot), state.expertOf[slot]);
            moves += arrived;
            intoRank[state.rankOf(slot)] += arrived;
        }
    }

    private int arrival(int rank, int expert) {
        return costs.settled(rank, expert) ? 0 : 1;
    }

    /** Arrivals that the slot's rank has more, or less, once the slot holds the expert. */
    private int more(int slot, int incoming) {
        int rank = state.rankOf(slot);
        return arrival(rank, incoming) - arrival(rank, state.expertOf[slot]);
    }

    /**
     * Whether the budget allows that the slot gets the expert; a step that brings no more than it takes back always may be.
     *
     * @param other the slot that gets the expert of the first in exchange, -1 for none
     */
    boolean affordable(int slot, int other, int incoming) {
        int here = more(slot, incoming);
        int there = other < 0 ? 0 : more(other, state.expertOf[slot]);
        return (here + there <= 0 || moves + here + there <= budget.moves())
                && (here <= 0 || intoRank[state.rankOf(slot)] + here <= budget.intoRank())
                && (there <= 0 || intoRank[state.rankOf(other)] + there <= budget.intoRank());
    }

    /** Books a step before it is taken; the two moves of an exchange share its fall of the potential. */
    void book(int slot, int other, int incoming, double fall) {
        int expert = state.expertOf[slot];
        arrive(slot, incoming, other < 0 ? fall : fall / 2);
        if (other >= 0) {
            arrive(other, expert, fall / 2);
        }
    }

    private void arrive(int slot, int incoming, double fall) {
        int rank = state.rankOf(slot);
        int more = more(slot, incoming);
        moves += more;
        intoRank[rank] += more;
        fallOf[rank * state.experts + incoming] += fall;
    }

    /** Fall of the potential that is put down to the expert's coming to the rank; 0 where no step brought it. */
    double fallOf(int rank, int expert) {
        return fallOf[rank * state.experts + expert];
    }

    int moves() {
        return moves;
    }

    int mostIntoRank() {
        int most = 0;
        for (int arrived : intoRank) {
            most = Math.max(most, arrived);
        }
        return most;
    }
}
