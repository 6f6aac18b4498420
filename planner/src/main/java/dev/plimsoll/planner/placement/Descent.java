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
 * <p>The potential is convex in the loads of ranks, so its tangent bounds from above what a step can win, and by Jensen's
 * inequality the mean over scenarios bounds it too. Both bounds cost a few operations per candidate, after one pass over the
 * slots; only candidates that pass both are computed over all scenarios. The result is that of trying every candidate.
 */
final class Descent {
    private static final int K = LayerState.K;
    /** Ranks that are tried, hottest first, before the descent ends. */
    private static final int RANKS_TRIED = 4;

    private final LayerState state;
    private final MoveCosts costs;
    private final double price;
    private final double least;
    private final Budget budget;

    /** Gradient of each rank's potential, {@code [rank · K + k]}. */
    private final double[] gradient;
    /** Gradient of the slot's rank times its expert's unit, {@code [slot]}, and its sum over an expert's slots. */
    private final double[] ownOf;

    private final double[] ownSum;
    /** Gradient of the hot rank times every expert's unit, {@code [expert]}. */
    private final double[] hotOf;
    /** Gradient of every rank times the unit of the hot rank's slot, {@code [local slot · ranks + rank]}. */
    private final double[] away;
    /** By how much the potentials of an expert's ranks fall together when it gets one more replica, {@code [expert]}. */
    private final double[] relief;
    /** By how much the potential of a redundant slot's rank rises when the expert loses another replica, {@code [slot]}. */
    private final double[] riseOf;

    private final double[] riseSum;
    /** Means over scenarios, for Jensen's bound. */
    private final double[] meanUnit;

    private final double[] meanLoad;
    private double meanLevel;
    /** The most that the tangent can win on a rank by what leaves it, {@code [rank]}. */
    private final double[] ownMost;

    private final boolean[] tried;

    private int bestSlot;
    private int bestOther;
    private int bestExpert;
    private double bestScore;
    private double bestFall;

    /** What a step may earn beyond its fall, by taking moves back. */
    private double credit;

    private int moves;
    /** Experts on the rank that were not there, {@code [rank]}. */
    private final int[] arrivals;
    /** Fall of the potential that is put down to the expert's coming to the rank, {@code [rank · experts + expert]}. */
    private final double[] fallOf;

    private double refused;
    private boolean overBudget;

    /**
     * @param price fall of the potential that a move must bring, in units of mean²
     * @param least what a step must bring beyond the price of its moves
     * @param budget whose moves and experts into a rank are respected
     */
    Descent(LayerState state, MoveCosts costs, double price, double least, Budget budget) {
        this.state = state;
        this.costs = costs;
        this.price = price;
        this.least = least;
        this.budget = budget;
        this.arrivals = new int[state.ranks];
        this.fallOf = new double[state.ranks * state.experts];
        for (int slot = 0; slot < state.slots(); slot++) {
            int arrived = arrival(state.rankOf(slot), state.expertOf[slot]);
            moves += arrived;
            arrivals[state.rankOf(slot)] += arrived;
        }
        this.gradient = new double[state.ranks * K];
        this.ownOf = new double[state.slots()];
        this.ownSum = new double[state.experts];
        this.hotOf = new double[state.experts];
        this.away = new double[state.slotsPerRank * state.ranks];
        this.relief = new double[state.experts];
        this.riseOf = new double[state.slots()];
        this.riseSum = new double[state.experts];
        this.meanUnit = new double[state.experts];
        this.meanLoad = new double[state.ranks];
        this.ownMost = new double[state.ranks];
        this.tried = new boolean[state.ranks];
    }

    LayerState state() {
        return state;
    }

    double price() {
        return price;
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
        prepare();
        Arrays.fill(tried, false);
        for (int attempt = 0; attempt < Math.min(RANKS_TRIED, state.ranks); attempt++) {
            int hot = hottestUntried();
            if (state.potential[hot] <= 0) {
                return false;
            }
            tried[hot] = true;
            begin();
            prepare(hot);
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
        bestScore = least;
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

    private void prepare() {
        refused = 0;
        credit = moves == 0 ? 0 : 2 * price * costs.most();
        meanLevel = 0;
        for (int k = 0; k < K; k++) {
            meanLevel += state.level[k] / K;
        }
        for (int rank = 0; rank < state.ranks; rank++) {
            double sum = 0;
            for (int k = 0; k < K; k++) {
                double load = state.loadOf[rank * K + k];
                sum += load;
                gradient[rank * K + k] = Math.max(0, load - state.level[k]) * (2.0 / K);
            }
            meanLoad[rank] = sum / K;
            ownMost[rank] = 0;
        }
        for (int expert = 0; expert < state.experts; expert++) {
            double sum = 0;
            for (int k = 0; k < K; k++) {
                sum += state.unit[expert * K + k];
            }
            meanUnit[expert] = sum / K;
            ownSum[expert] = 0;
            relief[expert] = 0;
            riseSum[expert] = 0;
        }
        for (int slot = 0; slot < state.slots(); slot++) {
            int rank = state.rankOf(slot);
            ownOf[slot] = state.potential[rank] == 0 ? 0 : slope(rank, state.expertOf[slot]);
            ownSum[state.expertOf[slot]] += ownOf[slot];
            ownMost[rank] = Math.max(ownMost[rank], ownOf[slot]);
            prepareReplacements(slot, rank, state.expertOf[slot]);
        }
    }

    private void prepareReplacements(int slot, int rank, int expert) {
        int replicas = state.replicas[expert];
        if (state.potential[rank] > 0) {
            relief[expert] += state.potential[rank] - potential(rank, expert, -1.0 / (replicas + 1), expert, 0);
        }
        if (replicas > 1) {
            riseOf[slot] = potential(rank, expert, 1.0 / (replicas - 1), expert, 0) - state.potential[rank];
            riseSum[expert] += riseOf[slot];
        }
    }

    private void prepare(int hot) {
        for (int expert = 0; expert < state.experts; expert++) {
            hotOf[expert] = slope(hot, expert);
        }
        for (int local = 0; local < state.slotsPerRank; local++) {
            int expert = state.expertOf[hot * state.slotsPerRank + local];
            for (int rank = 0; rank < state.ranks; rank++) {
                away[local * state.ranks + rank] = state.potential[rank] == 0 ? 0 : slope(rank, expert);
            }
        }
    }

    /** How fast the rank's potential rises with replicas of the expert. */
    private double slope(int rank, int expert) {
        double[] unit = state.unit;
        int r = rank * K;
        int e = expert * K;
        return gradient[r] * unit[e]
                + gradient[r + 1] * unit[e + 1]
                + (gradient[r + 2] * unit[e + 2] + gradient[r + 3] * unit[e + 3])
                + (gradient[r + 4] * unit[e + 4]
                        + gradient[r + 5] * unit[e + 5]
                        + (gradient[r + 6] * unit[e + 6] + gradient[r + 7] * unit[e + 7]));
    }

    private void trySwaps(int hot) {
        int first = hot * state.slotsPerRank;
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            int expert = state.expertOf[slot];
            for (int rank = 0; rank < state.ranks; rank++) {
                if (rank == hot || state.holds(rank, expert)) {
                    continue;
                }
                double most = state.potential[hot] + state.potential[rank];
                double tangent = hotOf[expert] - away[(slot - first) * state.ranks + rank];
                if (Math.min(most, tangent + ownMost[rank]) <= bestScore - credit) {
                    continue;
                }
                for (int other = rank * state.slotsPerRank; other < (rank + 1) * state.slotsPerRank; other++) {
                    int incoming = state.expertOf[other];
                    double bound = tangent - hotOf[incoming] + ownOf[other];
                    if (bound <= bestScore - credit || state.holds(hot, incoming)) {
                        continue;
                    }
                    double cost = swapCost(hot, expert, rank, incoming);
                    if (score(bound, cost) > bestScore
                            && score(most - jensen(hot, rank, expert, incoming), cost) > bestScore) {
                        considerSwap(slot, other, cost);
                    }
                }
            }
        }
    }

    /** What the two ranks' potentials are at least after the exchange. */
    private double jensen(int hot, int rank, int expert, int incoming) {
        double shift = meanUnit[expert] - meanUnit[incoming];
        double here = Math.max(0, meanLoad[hot] - shift - meanLevel);
        double there = Math.max(0, meanLoad[rank] + shift - meanLevel);
        return here * here + there * there;
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

    private int arrival(int rank, int expert) {
        return costs.settled(rank, expert) ? 0 : 1;
    }

    private void consider(double fall, double cost, int slot, int other, int incoming) {
        double score = score(fall, cost);
        if (score <= least && fall > 0 && cost > 0) {
            refused = Math.max(refused, fall / (cost * price));
        }
        if (score > bestScore) {
            if (!affordable(slot, other, incoming)) {
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

    /** Whether the budget allows the step; a step that brings no more than it takes back always is. */
    private boolean affordable(int slot, int other, int incoming) {
        int here = more(slot, incoming);
        int there = other < 0 ? 0 : more(other, state.expertOf[slot]);
        return (here + there <= 0 || moves + here + there <= budget.moves())
                && (here <= 0 || arrivals[state.rankOf(slot)] + here <= budget.intoRank())
                && (there <= 0 || arrivals[state.rankOf(other)] + there <= budget.intoRank());
    }

    /** Arrivals that the slot's rank has more, or less, once the slot holds the expert. */
    private int more(int slot, int incoming) {
        int rank = state.rankOf(slot);
        return arrival(rank, incoming) - arrival(rank, state.expertOf[slot]);
    }

    /** An expert of the hot rank gets one more replica, in a slot elsewhere whose expert has others. */
    private void tryReplicasElsewhere(int hot) {
        int first = hot * state.slotsPerRank;
        for (int other = 0; other < state.slots(); other++) {
            int outgoing = state.expertOf[other];
            int rank = state.rankOf(other);
            if (state.replicas[outgoing] == 1 || rank == hot) {
                continue;
            }
            double rise = riseSum[outgoing] - riseOf[other];
            for (int slot = first; slot < first + state.slotsPerRank; slot++) {
                int expert = state.expertOf[slot];
                double tangent = ownOf[other] - away[(slot - first) * state.ranks + rank] * part(expert);
                considerReplacement(other, expert, relief[expert] - rise, tangent);
            }
        }
    }

    /** A redundant replica on the hot rank makes room for another expert. */
    private void tryReplacementsHere(int hot) {
        int first = hot * state.slotsPerRank;
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            int outgoing = state.expertOf[slot];
            if (state.replicas[outgoing] == 1) {
                continue;
            }
            double rise = riseSum[outgoing] - riseOf[slot];
            for (int expert = 0; expert < state.experts; expert++) {
                double tangent = ownOf[slot] - hotOf[expert] * part(expert);
                considerReplacement(slot, expert, relief[expert] - rise, tangent);
            }
        }
    }

    /** What a replica weighs once there is one more, as a part of what it weighs now. */
    private double part(int expert) {
        return state.replicas[expert] / (state.replicas[expert] + 1.0);
    }

    /**
     * @param others by how much the potential of other ranks falls, if none of them holds both experts
     * @param tangent the most that the potential of the slot's own rank can fall
     */
    private void considerReplacement(int slot, int incoming, double others, double tangent) {
        int rank = state.rankOf(slot);
        if (others + Math.min(state.potential[rank], tangent) <= bestScore - credit || state.holds(rank, incoming)) {
            return;
        }
        int outgoing = state.expertOf[slot];
        double cost = costs.of(rank, incoming) - costs.of(rank, outgoing);
        double above =
                Math.max(0, meanLoad[rank] - meanUnit[outgoing] + meanUnit[incoming] * part(incoming) - meanLevel);
        double own = Math.min(tangent, state.potential[rank] - above * above);
        if (score(others + own, cost) > bestScore) {
            considerReplacement(slot, incoming, cost);
        }
    }

    private void considerReplacement(int slot, int incoming, double cost) {
        int rank = state.rankOf(slot);
        int outgoing = state.expertOf[slot];
        int in = state.replicas[incoming];
        int out = state.replicas[outgoing];
        // As parts of the present unit: what the newcomer weighs here, what its others lose, what the leaver's others
        // gain.
        double comes = (double) in / (in + 1);
        double less = -1.0 / (in + 1);
        double more = 1.0 / (out - 1);
        double fall = state.potential[rank] - potential(rank, incoming, comes, outgoing, -1);
        for (int other = state.firstSlot(incoming); other >= 0; other = state.nextSlot(other)) {
            int holder = state.rankOf(other);
            boolean both = state.holds(holder, outgoing);
            fall += state.potential[holder] - potential(holder, incoming, less, outgoing, both ? more : 0);
        }
        if (score(fall, cost) <= bestScore) {
            // What is left can only take away, as the leaver's other replicas all gain.
            return;
        }
        for (int other = state.firstSlot(outgoing); other >= 0; other = state.nextSlot(other)) {
            int holder = state.rankOf(other);
            if (holder != rank && !state.holds(holder, incoming)) {
                fall += state.potential[holder] - potential(holder, incoming, 0, outgoing, more);
            }
        }
        consider(fall, cost, slot, -1, incoming);
    }

    private double potential(int rank, int a, double partOfA, int b, double partOfB) {
        double sum = 0;
        for (int k = 0; k < K; k++) {
            double load =
                    state.loadOf[rank * K + k] + partOfA * state.unit[a * K + k] + partOfB * state.unit[b * K + k];
            double above = Math.max(0, load - state.level[k]);
            sum += above * above;
        }
        return sum / K;
    }

    private void take() {
        int expert = state.expertOf[bestSlot];
        double share = bestOther < 0 ? bestFall : bestFall / 2;
        arrive(bestSlot, bestExpert, share);
        if (bestOther >= 0) {
            arrive(bestOther, expert, share);
            state.swap(bestSlot, bestOther);
        } else {
            state.replace(bestSlot, bestExpert);
        }
    }

    private void arrive(int slot, int incoming, double fall) {
        int rank = state.rankOf(slot);
        int more = more(slot, incoming);
        moves += more;
        arrivals[rank] += more;
        fallOf[rank * state.experts + incoming] += fall;
    }

    /** Fall of the potential that is put down to the expert's coming to the rank; the two moves of a swap share its fall. */
    double fallOf(int rank, int expert) {
        return fallOf[rank * state.experts + expert];
    }

    /** Experts that are on ranks where they were not. */
    int moves() {
        return moves;
    }

    /** The most that are on one rank. */
    int mostIntoRank() {
        int most = 0;
        for (int arrived : arrivals) {
            most = Math.max(most, arrived);
        }
        return most;
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
