package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * Steepest descent of a layer's potential, less the price of the moves, from wherever it starts.
 *
 * <p>Steps begin at the rank with the largest potential: exchange one of its experts with another rank's (up to two moves); give
 * one of its experts a further replica, in a redundant slot elsewhere (one move); put another expert into one of its redundant
 * slots (one move). Whatever returns an expert to where it was settled earns its price back. The step with the largest
 * fall net of its price, per move, is taken; none is taken that does not pay its price.
 *
 * <p>{@link Outline} bounds what a candidate can win for a few operations; only those whose bound pays are computed over all
 * scenarios. The result is that of trying every candidate.
 */
final class Descent {
    /** Ranks that are tried, hottest first, before the descent ends. */
    private static final int RANKS_TRIED = 4;
    /** What a step must bring beyond the price of its moves: less is rounding. */
    static final double ROUNDING = BestStep.ROUNDING;

    private final LayerState state;
    private final MoveCosts costs;
    private final double price;
    private final Arrivals arrivals;
    private final Outline outline;
    private final Fares fares;
    private final BestStep best;
    private final Exchanges exchanges;
    private final Replacements replacements;
    private final boolean[] tried;
    private boolean overBudget;

    /**
     * @param price fall of the potential that a move must bring, in units of mean²
     * @param budget whose moves and experts into a rank are respected
     */
    Descent(LayerState state, MoveCosts costs, double price, Budget budget) {
        this.state = state;
        this.costs = costs;
        this.price = price;
        this.arrivals = new Arrivals(state, costs, budget);
        this.outline = new Outline(state);
        this.fares = new Fares(state, costs, price);
        this.best = new BestStep(state, costs, price, arrivals);
        this.exchanges = new Exchanges(state, outline, fares, best);
        this.replacements = new Replacements(state, outline, fares, best);
        this.tried = new boolean[state.ranks];
    }

    LayerState state() {
        return state;
    }

    double price() {
        return price;
    }

    Arrivals arrivals() {
        return arrivals;
    }

    /** Expected balancedness less what the moves must bring, where moving all slots of a layer costs that much of it. */
    double worth(double priceOfLayer) {
        return state.balancedness() - priceOfLayer * arrivals.moves() / state.slots();
    }

    /**
     * The part of its price that the best step left would bring, below 1; of those whose bound did not rule them out at once, 0 when
     * there is none.
     */
    double refused() {
        return best.refused();
    }

    /** Whether a step that pays was left because of the budget. */
    boolean overBudget() {
        return overBudget;
    }

    /** Takes steps until none pays. */
    void descend() {
        // Every step lowers potential plus price; the bound only guards against a fault in that.
        for (int step = 0; step < 4 * state.slots(); step++) {
            if (!findStep()) {
                return;
            }
            best.take();
        }
    }

    private boolean findStep() {
        fares.refresh();
        outline.refresh();
        best.forgetRefused();
        Arrays.fill(tried, false);
        for (int attempt = 0; attempt < Math.min(RANKS_TRIED, state.ranks); attempt++) {
            int hot = hottestUntried();
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

    private int hottestUntried() {
        int hot = -1;
        for (int rank = 0; rank < state.ranks; rank++) {
            if (!tried[rank] && (hot < 0 || state.potential[rank] > state.potential[hot])) {
                hot = rank;
            }
        }
        return hot;
    }

    private boolean findStep(int hot) {
        best.begin(outline.rounding());
        fares.aim(hot);
        exchanges.consider(hot);
        replacements.consider(hot);
        overBudget |= best.betterBeyondBudget();
        return best.found();
    }

    /**
     * Takes back moves that do not pay their price: returns experts to ranks where they were settled, as long as the potential rises
     * by less than the moves saved are worth.
     */
    void pullBack() {
        outline.refresh();
        boolean again = true;
        for (int pass = 0; again && pass < state.slots(); pass++) {
            again = false;
            double rounding = outline.rounding();
            for (int slot = 0; slot < state.slots(); slot++) {
                if (!costs.settled(state.rankOf(slot), state.expertOf[slot])) {
                    best.begin(rounding);
                    considerReturning(slot);
                    overBudget |= best.betterBeyondBudget();
                    if (best.found()) {
                        best.take();
                        outline.refresh();
                        rounding = outline.rounding();
                        again = true;
                    }
                }
            }
        }
        state.touchAll();
    }

    /** The slot gives its newcomer away for an expert that its rank had. */
    private void considerReturning(int slot) {
        int rank = state.rankOf(slot);
        int newcomer = state.expertOf[slot];
        double back = price * costs.of(rank, newcomer);
        int place = 0;
        for (int home = rank * state.slotsPerRank; home < (rank + 1) * state.slotsPerRank; home++) {
            int expert = costs.settledExpert(home);
            if (state.holds(rank, expert)) {
                continue;
            }
            replacements.consider(slot, expert, -back, place++);
            for (int other = state.firstSlot(expert); other >= 0; other = state.nextSlot(other)) {
                int otherRank = state.rankOf(other);
                double fare = price * (costs.of(otherRank, newcomer) - costs.of(otherRank, expert)) - back;
                if (!state.holds(otherRank, newcomer) && best.mayBe(outline.mostOfExchange(slot, other) - fare)) {
                    best.considerExchange(slot, other, fare, place);
                }
                place++;
            }
        }
    }
}
