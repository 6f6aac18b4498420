package dev.plimsoll.planner.placement;

/**
 * The same descent as {@link Descent}'s without any bound: every candidate is considered, in the order of slots and experts. Shares what a step
 * brings with it, so that equals are equal to the last bit, and the first of them must be found.
 */
final class UnboundedDescent {
    private static final int RANKS_TRIED = 4;

    private final LayerState state;
    private final MoveCosts costs;
    private final double price;
    private final BestStep best;

    UnboundedDescent(LayerState state, MoveCosts costs, double price, Budget budget) {
        this.state = state;
        this.costs = costs;
        this.price = price;
        this.best = new BestStep(state, costs, price, new Arrivals(state, costs, budget));
    }

    void descend(int steps) {
        for (int step = 0; step < steps && findStep(); step++) {
            best.take();
        }
    }

    private boolean findStep() {
        boolean[] tried = new boolean[state.ranks];
        for (int attempt = 0; attempt < Math.min(RANKS_TRIED, state.ranks); attempt++) {
            int hot = -1;
            for (int rank = 0; rank < state.ranks; rank++) {
                hot = !tried[rank] && (hot < 0 || state.potential[rank] > state.potential[hot]) ? rank : hot;
            }
            if (state.potential[hot] <= 0) {
                return false;
            }
            tried[hot] = true;
            best.begin(Double.POSITIVE_INFINITY);
            considerAll(hot * state.slotsPerRank, (hot + 1) * state.slotsPerRank);
            if (best.found()) {
                return true;
            }
        }
        return false;
    }

    private void considerAll(int first, int end) {
        int place = 0;
        for (int slot = first; slot < end; slot++) {
            for (int other = 0; other < state.slots(); other++) {
                boolean elsewhere = other < first || other >= end;
                if (elsewhere
                        && !state.holds(state.rankOf(slot), state.expertOf[other])
                        && !state.holds(state.rankOf(other), state.expertOf[slot])) {
                    best.considerExchange(slot, other, 0, place++);
                }
            }
        }
        for (int slot = first; slot < end; slot++) {
            for (int other = 0; other < state.slots(); other++) {
                if ((other < first || other >= end) && replaceable(other, state.expertOf[slot])) {
                    considerReplacement(other, state.expertOf[slot], place++);
                }
            }
        }
        for (int slot = first; slot < end; slot++) {
            for (int expert = 0; expert < state.experts; expert++) {
                if (replaceable(slot, expert)) {
                    considerReplacement(slot, expert, place++);
                }
            }
        }
    }

    private void considerReplacement(int slot, int incoming, int place) {
        int rank = state.rankOf(slot);
        double fare = price * (costs.of(rank, incoming) - costs.of(rank, state.expertOf[slot]));
        best.considerReplacement(slot, incoming, fare, place);
    }

    private boolean replaceable(int slot, int incoming) {
        return state.replicas[state.expertOf[slot]] > 1 && !state.holds(state.rankOf(slot), incoming);
    }
}
