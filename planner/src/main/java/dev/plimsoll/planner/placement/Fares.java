package dev.plimsoll.planner.placement;

/**
 * What steps that begin at one rank cost, by slot and by expert: the price of whatever they bring somewhere, and back for what
 * returns; infinite where a rank would hold an expert twice.
 */
final class Fares {
    private final LayerState state;
    private final MoveCosts costs;
    private final double price;
    /** To bring an expert of the hot rank to the slot's rank, {@code [local slot of the hot rank][slot]}. */
    final double[][] away;
    /** To bring an expert to the hot rank, {@code [expert]}. */
    final double[] here;
    /** What comes back when the slot's expert leaves, {@code [slot]}. */
    final double[] back;

    Fares(LayerState state, MoveCosts costs, double price) {
        this.state = state;
        this.costs = costs;
        this.price = price;
        this.away = new double[state.slotsPerRank][state.slots()];
        this.here = new double[state.experts];
        this.back = new double[state.slots()];
    }

    /** For steps that begin at this rank. */
    void aim(int hot) {
        for (int expert = 0; expert < state.experts; expert++) {
            here[expert] = fare(hot, expert);
        }
        for (int local = 0; local < state.slotsPerRank; local++) {
            fill(away[local], hot, state.expertOf[hot * state.slotsPerRank + local]);
        }
    }

    private void fill(double[] fares, int hot, int expert) {
        int slot = 0;
        for (int rank = 0; rank < state.ranks; rank++) {
            double fare = rank == hot ? Double.POSITIVE_INFINITY : fare(rank, expert);
            for (int end = slot + state.slotsPerRank; slot < end; slot++) {
                fares[slot] = fare;
            }
        }
    }

    /** Brings {@link #back} up to date with what has been touched in the state. */
    void refresh() {
        for (int i = 0; i < state.touchedCount(); i++) {
            int rank = state.touched(i);
            for (int slot = rank * state.slotsPerRank; slot < (rank + 1) * state.slotsPerRank; slot++) {
                back[slot] = price * costs.of(rank, state.expertOf[slot]);
            }
        }
    }

    private double fare(int rank, int expert) {
        return state.holds(rank, expert) ? Double.POSITIVE_INFINITY : price * costs.of(rank, expert);
    }
}
