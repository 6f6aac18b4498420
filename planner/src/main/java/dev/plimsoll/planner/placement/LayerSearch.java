package dev.plimsoll.planner.placement;

import java.util.Optional;

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
     * Descent from the best packing; none where it is not promising.
     *
     * @param least worth as it was packed that makes it promising
     */
    Optional<Descent> fromScratch(double priceOfLayer, double least) {
        Optional<ScenarioPacking.Packed> best = ScenarioPacking.pack(scenarios, weighing, start, costs, price, least);
        if (best.isEmpty()) {
            return Optional.empty();
        }
        int[] packed = best.get().expertOfSlot();
        RankMatching matching = new RankMatching(scenarios.ranks(), start.experts);
        double cheapest = priceOfLayer * leastMoves(matching, packed) / packed.length;
        if (best.get().balancedness() - cheapest <= least) {
            return Optional.empty();
        }
        int[] matched = matching.rearrange(costs.settled(), packed);
        Descent descent = descentFrom(matched, Budget.UNLIMITED);
        if (descent.worth(priceOfLayer) <= least) {
            return Optional.empty();
        }
        descent.pullBack();
        descent.descend();
        return Optional.of(descent);
    }

    /** Moves that a packing takes at least, whichever rank each of its rows goes to. */
    private int leastMoves(RankMatching matching, int[] packed) {
        int used = 0;
        for (int expert : packed) {
            used += expert == start.nothing ? 0 : 1;
        }
        return used - matching.mostKept(costs.settled(), packed);
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
