package dev.plimsoll.planner.placement;

/**
 * The ways to search a placement of one layer.
 *
 * @param settled {@code [slot]}
 * @param price fall of the potential that a move must bring, in units of mean²
 */
record LayerSearch(PlanRequest request, int[] settled, Scenarios scenarios, MoveCosts costs, double price) {
    /** Falls of the potential below this are rounding. */
    private static final double ROUNDING = 1e-12;

    private static final int KICKS_PER_ROUND = 4;
    private static final int MOST_ROUNDS = 5;

    static LayerSearch of(PlanRequest request, int[] settled, Scenarios scenarios, double price) {
        MoveCosts costs = new MoveCosts(settled, scenarios.experts(), request.topology(), request.prices());
        return new LayerSearch(request, settled, scenarios, costs, price);
    }

    /** A descent that has not begun. */
    Descent descent(LayerState state) {
        return new Descent(state, costs, price, ROUNDING, request.budget());
    }

    Descent fromScratch() {
        int[] packed = ScenarioPacking.pack(scenarios, costs, settled.length, price);
        int[] matched = new RankMatching(scenarios.ranks(), scenarios.experts()).rearrange(settled, packed);
        Descent descent = new Descent(new LayerState(scenarios, matched), costs, price, ROUNDING, Budget.UNLIMITED);
        descent.pullBack();
        descent.descend();
        return descent;
    }

    /**
     * The best of descents that start where one replica of the found placement was exchanged for another expert's; with few slots
     * single steps get stuck, and such starts cost little.
     */
    Descent kicked(Descent found, double priceOfLayer) {
        Descent best = found;
        for (int round = 0; round < MOST_ROUNDS; round++) {
            Descent better = betterKick(best, priceOfLayer);
            if (better == best) {
                return best;
            }
            best = better;
        }
        return best;
    }

    private Descent betterKick(Descent found, double priceOfLayer) {
        LayerState state = found.state();
        int kicks = 0;
        for (int slot = 0; slot < state.slots(); slot++) {
            for (int expert = 0; expert < state.experts && state.replicas[state.expertOf[slot]] > 1; expert++) {
                if (state.holds(state.rankOf(slot), expert)) {
                    continue;
                }
                if (kicks++ == KICKS_PER_ROUND) {
                    return found;
                }
                int[] start = state.expertOf.clone();
                start[slot] = expert;
                Descent descent = descent(new LayerState(scenarios, start));
                descent.descend();
                if (descent.worth(priceOfLayer) > found.worth(priceOfLayer) + ROUNDING && affordable(descent)) {
                    return descent;
                }
            }
        }
        return found;
    }

    boolean affordable(Descent found) {
        return found.arrivals().moves() <= request.budget().moves()
                && found.arrivals().mostIntoRank() <= request.budget().intoRank();
    }
}
