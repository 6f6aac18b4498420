package dev.plimsoll.planner.placement;

/**
 * The ways to search a placement of one layer.
 *
 * @param start the settled placement; not to be changed
 * @param price fall of the potential that a move must bring, in units of mean²
 */
record LayerSearch(
        PlanRequest request, Scenarios scenarios, Weighing weighing, LayerState start, MoveCosts costs, double price) {
    private static final int KICKS_PER_ROUND = 4;
    private static final int MOST_ROUNDS = 5;

    /** A descent that has not begun. */
    Descent descent() {
        return descentFrom(start.expertOf, request.budget());
    }

    private Descent descentFrom(int[] expertOfSlot, Budget budget) {
        return new Descent(start.at(expertOfSlot), costs, price, budget);
    }

    /**
     * @param least worth as it was packed that makes it promising: below, it is left as it is
     */
    Descent fromScratch(double priceOfLayer, double least) {
        int[] packed = ScenarioPacking.pack(scenarios, weighing, start, costs, price);
        int[] matched = new RankMatching(scenarios.ranks(), start.experts).rearrange(costs.settled(), packed);
        Descent descent = descentFrom(matched, Budget.UNLIMITED);
        if (descent.worth(priceOfLayer) > least) {
            descent.pullBack();
            descent.descend();
        }
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
                int[] kicked = state.expertOf.clone();
                kicked[slot] = expert;
                Descent descent = descentFrom(kicked, request.budget());
                descent.descend();
                if (descent.worth(priceOfLayer) > found.worth(priceOfLayer) + Descent.ROUNDING && affordable(descent)) {
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
