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
 * <p>{@link Slopes} bounds what a candidate can win for a few operations; only those whose bound pays are computed over all
 * scenarios. The result is that of trying every candidate.
 */
final class Descent {
    private static final int K = LayerState.K;
    /** Ranks that are tried, hottest first, before the descent ends. */
    private static final int RANKS_TRIED = 4;
    /** What a step must bring beyond the price of its moves: less is rounding. */
    static final double ROUNDING = 1e-12;

    private final LayerState state;
    private final MoveCosts costs;
    private final double price;

    private final Slopes slopes;
    /** Of the step that is sought: what a slot would win at most, net of its price, and the most of each rank's slots. */
    private final double[] gainOfSlot;

    private final double[] mostOfRank;
    /** See {@link #riseOfOutgoing} and {@link #riseWithIncoming}, {@code [expert]}. */
    private final double[] sharedRise;

    /** Of the same: what it weighs and what it costs to bring, {@code [slot]}. */
    private final double[] unitOfSlot;

    private final double[] costOfSlot;
    private final boolean[] tried;

    private int bestSlot;
    private int bestOther;
    private int bestExpert;
    private double bestScore;
    private double bestFall;

    private final Arrivals arrivals;
    private double refused;
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
        this.slopes = new Slopes(state);
        this.sharedRise = new double[state.experts];
        this.gainOfSlot = new double[state.slots()];
        this.unitOfSlot = new double[state.slots()];
        this.costOfSlot = new double[state.slots()];
        this.mostOfRank = new double[state.ranks];
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
        return refused;
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
            take();
        }
    }

    private boolean findStep() {
        slopes.refresh();
        refused = 0;
        Arrays.fill(tried, false);
        for (int attempt = 0; attempt < Math.min(RANKS_TRIED, state.ranks); attempt++) {
            int hot = hottestUntried();
            if (state.potential[hot] <= 0) {
                return false;
            }
            tried[hot] = true;
            begin();
            slopes.aim(hot);
            trySwaps(hot);
            tryReplicasElsewhere(hot);
            tryReplacementsHere(hot);
            if (bestSlot >= 0) {
                return true;
            }
        }
        return false;
    }

    private void begin() {
        bestSlot = -1;
        bestOther = -1;
        bestExpert = -1;
        bestScore = ROUNDING;
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

    private void trySwaps(int hot) {
        gainOfIncoming(hot);
        int first = hot * state.slotsPerRank;
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            int expert = state.expertOf[slot];
            double back = price * costs.of(hot, expert);
            for (int rank = 0; rank < state.ranks; rank++) {
                if (rank == hot || state.holds(rank, expert)) {
                    continue;
                }
                double tangent = slopes.hot[expert] - slopes.away[(slot - first) * state.ranks + rank];
                double net = tangent + back - price * costs.of(rank, expert);
                if (net + mostOfRank[rank] <= bestScore) {
                    continue;
                }
                double most = state.potential[hot] + state.potential[rank] + net - tangent;
                double aboveHere = slopes.meanLoad[hot] - slopes.meanUnit[expert] - slopes.meanLevel;
                double aboveThere = slopes.meanLoad[rank] + slopes.meanUnit[expert] - slopes.meanLevel;
                for (int other = rank * state.slotsPerRank; other < (rank + 1) * state.slotsPerRank; other++) {
                    if (net + gainOfSlot[other] <= bestScore) {
                        continue;
                    }
                    double here = aboveHere + unitOfSlot[other];
                    double there = aboveThere - unitOfSlot[other];
                    double left = (here > 0 ? here * here : 0) + (there > 0 ? there * there : 0);
                    if (most - costOfSlot[other] - left > bestScore) {
                        considerSwap(slot, other, swapCost(hot, expert, rank, state.expertOf[other]));
                    }
                }
            }
        }
    }

    /** What every slot's expert would win, at most and net of its price, by coming to the hot rank. */
    private void gainOfIncoming(int hot) {
        for (int rank = 0; rank < state.ranks; rank++) {
            double most = Double.NEGATIVE_INFINITY;
            for (int slot = rank * state.slotsPerRank; slot < (rank + 1) * state.slotsPerRank; slot++) {
                int incoming = state.expertOf[slot];
                unitOfSlot[slot] = slopes.meanUnit[incoming];
                costOfSlot[slot] = price * (costs.of(hot, incoming) - costs.of(rank, incoming));
                gainOfSlot[slot] = state.holds(hot, incoming)
                        ? Double.NEGATIVE_INFINITY
                        : slopes.own[slot] - slopes.hot[incoming] - costOfSlot[slot];
                most = Math.max(most, gainOfSlot[slot]);
            }
            mostOfRank[rank] = most;
        }
    }

    private double swapCost(int rank, int expert, int otherRank, int incoming) {
        return costs.of(otherRank, expert)
                + costs.of(rank, incoming)
                - costs.of(rank, expert)
                - costs.of(otherRank, incoming);
    }

    /** Fall net of its price, per move. */
    private double score(double fall, double cost) {
        double net = fall - price * cost;
        return cost > 1 ? net / cost : net;
    }

    private void considerSwap(int slot, int other, double cost) {
        int rank = state.rankOf(slot);
        int otherRank = state.rankOf(other);
        int expert = state.expertOf[slot];
        int incoming = state.expertOf[other];
        double after = 0;
        for (int k = 0; k < K; k++) {
            double shift = state.unit[expert * K + k] - state.unit[incoming * K + k];
            double here = Math.max(0, state.loadOf[rank * K + k] - shift - state.level[k]);
            double there = Math.max(0, state.loadOf[otherRank * K + k] + shift - state.level[k]);
            after += here * here + there * there;
        }
        consider(state.potential[rank] + state.potential[otherRank] - after / K, cost, slot, other, incoming);
    }

    private void consider(double fall, double cost, int slot, int other, int incoming) {
        double score = score(fall, cost);
        if (score <= ROUNDING && fall > 0 && cost > 0 && price > 0) {
            refused = Math.max(refused, Math.min(fall / (cost * price), Math.nextDown(1.0)));
        }
        if (score > bestScore) {
            if (!arrivals.affordable(slot, other, incoming)) {
                overBudget = true;
                return;
            }
            bestScore = score;
            bestFall = fall;
            bestSlot = slot;
            bestOther = other;
            bestExpert = incoming;
        }
    }

    /** An expert of the hot rank gets one more replica, in a slot elsewhere whose expert has others. */
    private void tryReplicasElsewhere(int hot) {
        gainOfOutgoing(hot);
        int first = hot * state.slotsPerRank;
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            int expert = state.expertOf[slot];
            double mostShared = riseOfOutgoing(expert);
            for (int rank = 0; rank < state.ranks; rank++) {
                double here = slopes.awayComing[(slot - first) * state.ranks + rank];
                double net = slopes.relief[expert] - here - price * costs.of(rank, expert);
                if (net + mostOfRank[rank] + mostShared <= bestScore) {
                    continue;
                }
                for (int other = rank * state.slotsPerRank; other < (rank + 1) * state.slotsPerRank; other++) {
                    double shared = sharedRise[state.expertOf[other]];
                    if (net + gainOfSlot[other] + shared > bestScore) {
                        double rise = othersRise(other) - shared;
                        boundReplacement(other, expert, slopes.relief[expert] - rise, slopes.own[other] - here);
                    }
                }
            }
        }
    }

    /** What every redundant replica elsewhere would win, at most and net of its price, by making room. */
    private void gainOfOutgoing(int hot) {
        for (int rank = 0; rank < state.ranks; rank++) {
            double most = Double.NEGATIVE_INFINITY;
            for (int slot = rank * state.slotsPerRank; slot < (rank + 1) * state.slotsPerRank; slot++) {
                int outgoing = state.expertOf[slot];
                gainOfSlot[slot] = rank == hot || state.replicas[outgoing] == 1
                        ? Double.NEGATIVE_INFINITY
                        : slopes.own[slot] - othersRise(slot) + price * costs.of(rank, outgoing);
                most = Math.max(most, gainOfSlot[slot]);
            }
            mostOfRank[rank] = most;
        }
    }

    /**
     * Fills {@link #sharedRise} for an expert that comes: by how much every other's replicas would rise on the ranks that it is
     * on. There the one's fall and the other's rise meet, and together they can be better than their sum, so a bound must leave
     * the rise out.
     *
     * @return the largest of them
     */
    private double riseOfOutgoing(int incoming) {
        Arrays.fill(sharedRise, 0);
        double most = 0;
        for (int holder = state.firstSlot(incoming); holder >= 0; holder = state.nextSlot(holder)) {
            int first = state.rankOf(holder) * state.slotsPerRank;
            for (int slot = first; slot < first + state.slotsPerRank; slot++) {
                int outgoing = state.expertOf[slot];
                sharedRise[outgoing] += slopes.rise[slot];
                most = Math.max(most, sharedRise[outgoing]);
            }
        }
        return most;
    }

    /** The same for a slot whose expert leaves: the rise of its other replicas, for every expert that is on their ranks. */
    private void riseWithIncoming(int slot) {
        Arrays.fill(sharedRise, 0);
        for (int other = state.firstSlot(state.expertOf[slot]); other >= 0; other = state.nextSlot(other)) {
            int first = state.rankOf(other) * state.slotsPerRank;
            for (int held = first; other != slot && held < first + state.slotsPerRank; held++) {
                sharedRise[state.expertOf[held]] += slopes.rise[other];
            }
        }
    }

    /** By how much the potentials of the other replicas' ranks rise when the slot gives up its own. */
    private double othersRise(int slot) {
        return slopes.riseSum[state.expertOf[slot]] - slopes.rise[slot];
    }

    /** A redundant replica on the hot rank makes room for another expert. */
    private void tryReplacementsHere(int hot) {
        int first = hot * state.slotsPerRank;
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            int outgoing = state.expertOf[slot];
            if (state.replicas[outgoing] == 1) {
                continue;
            }
            double rise = othersRise(slot);
            riseWithIncoming(slot);
            for (int expert = 0; expert < state.experts; expert++) {
                double tangent = slopes.own[slot] - slopes.hotComing[expert];
                boundReplacement(slot, expert, slopes.relief[expert] - (rise - sharedRise[expert]), tangent);
            }
        }
    }

    /**
     * @param others by how much the potential of other ranks falls at most
     * @param tangent the most that the potential of the slot's own rank can fall
     */
    private void boundReplacement(int slot, int incoming, double others, double tangent) {
        int rank = state.rankOf(slot);
        int outgoing = state.expertOf[slot];
        double cost = costs.of(rank, incoming) - costs.of(rank, outgoing);
        if (score(others + tangent, cost) <= bestScore || state.holds(rank, incoming)) {
            return;
        }
        double own = Math.min(tangent, state.potential[rank] - slopes.afterReplacement(rank, outgoing, incoming));
        if (score(others + own, cost) > bestScore) {
            considerReplacement(slot, incoming, cost);
        }
    }

    private void considerReplacement(int slot, int incoming, double cost) {
        int rank = state.rankOf(slot);
        int outgoing = state.expertOf[slot];
        double fall = state.potential[rank] - state.potentialReplacing(rank, incoming, outgoing);
        for (int other = state.firstSlot(incoming); other >= 0; other = state.nextSlot(other)) {
            int holder = state.rankOf(other);
            double after = state.holds(holder, outgoing)
                    ? state.potential(holder, incoming, state.less, outgoing, state.more)
                    : state.potential(holder, incoming, state.less);
            fall += state.potential[holder] - after;
        }
        if (score(fall, cost) <= bestScore) {
            // What is left can only take away, as the leaver's other replicas all gain.
            return;
        }
        for (int other = state.firstSlot(outgoing); other >= 0; other = state.nextSlot(other)) {
            int holder = state.rankOf(other);
            if (holder != rank && !state.holds(holder, incoming)) {
                fall += state.potential[holder] - state.potential(holder, outgoing, state.more);
            }
        }
        consider(fall, cost, slot, -1, incoming);
    }

    private void take() {
        arrivals.book(bestSlot, bestOther, bestExpert, bestFall);
        if (bestOther >= 0) {
            state.swap(bestSlot, bestOther);
        } else {
            state.replace(bestSlot, bestExpert);
        }
    }

    /**
     * Takes back moves that do not pay their price: returns experts to ranks where they were settled, as long as the potential rises
     * by less than the moves saved are worth.
     */
    void pullBack() {
        boolean again = true;
        for (int pass = 0; again && pass < state.slots(); pass++) {
            again = false;
            for (int slot = 0; slot < state.slots(); slot++) {
                if (!costs.settled(state.rankOf(slot), state.expertOf[slot])) {
                    begin();
                    tryReturning(slot);
                    if (bestSlot >= 0) {
                        take();
                        again = true;
                    }
                }
            }
        }
    }

    /** The slot gives its newcomer away for an expert that its rank had. */
    private void tryReturning(int slot) {
        int rank = state.rankOf(slot);
        int newcomer = state.expertOf[slot];
        for (int home = rank * state.slotsPerRank; home < (rank + 1) * state.slotsPerRank; home++) {
            int expert = costs.settledExpert(home);
            if (state.holds(rank, expert)) {
                continue;
            }
            if (state.replicas[newcomer] > 1) {
                considerReplacement(slot, expert, costs.of(rank, expert) - costs.of(rank, newcomer));
            }
            for (int other = state.firstSlot(expert); other >= 0; other = state.nextSlot(other)) {
                if (!state.holds(state.rankOf(other), newcomer)) {
                    considerSwap(slot, other, swapCost(rank, newcomer, state.rankOf(other), expert));
                }
            }
        }
    }
}
