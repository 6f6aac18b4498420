package dev.plimsoll.planner.placement;

/**
 * The best step of those that were considered: what each wins is computed over all scenarios.
 *
 * <p>What counts is the fall of the potential net of the price of the moves, per move. Of equals the first in order is taken, so the same one is
 * found whichever are considered first, and whatever bounds have ruled out.
 */
final class BestStep {
    private static final int K = LayerState.K;
    /** What a step must bring beyond the price of its moves: less is rounding. */
    static final double ROUNDING = 1e-12;

    private final LayerState state;
    private final MoveCosts costs;
    private final double price;
    private final Arrivals arrivals;

    private int slot = -1;
    private int other = -1;
    private int expert = -1;
    private double fall;
    private int order;
    private double rounding;
    private double score;
    private double scoreBeyond;
    private double refused;

    BestStep(LayerState state, MoveCosts costs, double price, Arrivals arrivals) {
        this.state = state;
        this.costs = costs;
        this.price = price;
        this.arrivals = arrivals;
    }

    /** @param roundingOfBounds by how much a bound may be below what it bounds */
    void begin(double roundingOfBounds) {
        rounding = roundingOfBounds;
        slot = -1;
        other = -1;
        expert = -1;
        order = -1;
        score = ROUNDING;
        scoreBeyond = ROUNDING;
    }

    boolean found() {
        return slot >= 0;
    }

    /** Whether the budget forbids a step that would be better. */
    boolean betterBeyondBudget() {
        return scoreBeyond > score;
    }

    /** Whether a step may be the best that wins at most so much net of its price. */
    boolean mayBe(double net) {
        return net > score - rounding;
    }

    void forgetRefused() {
        refused = 0;
    }

    /** The largest part of its price that a step brought that was considered and does not pay; 0 if there was none. */
    double refused() {
        return refused;
    }

    private double score(double fallOfStep, double cost) {
        double net = fallOfStep - price * cost;
        return cost > 1 ? net / cost : net;
    }

    private double costOfExchange(int first, int second) {
        int rank = state.rankOf(first);
        int otherRank = state.rankOf(second);
        return costs.of(otherRank, state.expertOf[first])
                + costs.of(rank, state.expertOf[second])
                - costs.of(rank, state.expertOf[first])
                - costs.of(otherRank, state.expertOf[second]);
    }

    private double fallOfExchange(int first, int second) {
        int rank = state.rankOf(first) * K;
        int otherRank = state.rankOf(second) * K;
        int leaving = state.expertOf[first] * K;
        int coming = state.expertOf[second] * K;
        double after = 0;
        for (int k = 0; k < K; k++) {
            double shift = state.unit[leaving + k] - state.unit[coming + k];
            double here = state.loadOf[rank + k] - shift - state.level[k];
            double there = state.loadOf[otherRank + k] + shift - state.level[k];
            // What is positive, twice: without a branch, and to the same last bit.
            here += Math.abs(here);
            there += Math.abs(there);
            after += here * here + there * there;
        }
        after *= 0.25;
        return state.potential[rank / K] + state.potential[otherRank / K] - after / K;
    }

    /**
     * Two slots of different ranks exchange their experts, of which neither rank has the other's yet.
     *
     * @param fare what the moves cost, but for rounding
     * @param place in the order of steps
     */
    void considerExchange(int first, int second, double fare, int place) {
        double won = fallOfExchange(first, second);
        if (pays(won, fare)) {
            consider(won, costOfExchange(first, second), place, first, second, state.expertOf[second]);
        }
    }

    /**
     * The slot, whose expert has other replicas, holds another in its place that its rank does not have yet.
     *
     * @param fare what the move costs, but for rounding
     * @param place in the order of steps
     */
    void considerReplacement(int replaced, int incoming, double fare, int place) {
        int rank = state.rankOf(replaced);
        int outgoing = state.expertOf[replaced];
        double won = state.potential[rank] - state.potentialReplacing(rank, incoming, outgoing);
        // Nothing relieves no rank: slots that hold it are in no list.
        for (int held = state.firstSlot(incoming); held >= 0; held = state.nextSlot(held)) {
            int holder = state.rankOf(held);
            double after = state.holds(holder, outgoing)
                    ? state.potential(holder, incoming, state.less, outgoing, state.more)
                    : state.potential(holder, incoming, state.less);
            won += state.potential[holder] - after;
        }
        if (!mayBe(won - fare)) {
            // What is left can only take away, as the leaver's other replicas all gain.
            return;
        }
        for (int held = state.firstSlot(outgoing); held >= 0; held = state.nextSlot(held)) {
            int holder = state.rankOf(held);
            if (holder != rank && !state.holds(holder, incoming)) {
                won += state.potential[holder] - state.potential(holder, outgoing, state.more);
            }
        }
        if (pays(won, fare)) {
            double cost = costs.of(rank, incoming) - costs.of(rank, outgoing);
            consider(won, cost, place, replaced, -1, incoming);
        }
    }

    /** Whether a step may be the best, or else notes how much of its price it brings. */
    private boolean pays(double won, double fare) {
        if (won > 0 && fare >= won) {
            refused = Math.max(refused, Math.min(won / fare, Math.nextDown(1.0)));
        }
        return mayBe(won - fare);
    }

    private void consider(double won, double cost, int place, int first, int second, int incoming) {
        double scored = score(won, cost);
        if (scored < score || (scored == score && place >= order)) {
            return;
        }
        if (!arrivals.affordable(first, second, incoming)) {
            scoreBeyond = Math.max(scoreBeyond, scored);
            return;
        }
        score = scored;
        order = place;
        fall = won;
        slot = first;
        other = second;
        expert = incoming;
    }

    /** Makes the step that was found. */
    void take() {
        arrivals.book(slot, other, expert, fall);
        if (other >= 0) {
            state.swap(slot, other);
        } else {
            state.replace(slot, expert);
        }
    }
}
