package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * The same descent as {@link Descent}'s by counting everything anew for every candidate: slow, and plain enough to be believed.
 */
final class NaiveSearch {
    private static final int K = Scenarios.COUNT;
    private static final int RANKS_TRIED = 4;

    private final Scenarios scenarios;
    private final Topology topology;
    private final MovePrices prices;
    private final int[] settled;
    private final double price;
    private final double least;
    private final Budget budget;
    private final double[] level = new double[K];

    NaiveSearch(
            Scenarios scenarios,
            Topology topology,
            MovePrices prices,
            int[] settled,
            double price,
            double least,
            Budget budget) {
        this.scenarios = scenarios;
        this.topology = topology;
        this.prices = prices;
        this.settled = settled;
        this.price = price;
        this.least = least;
        this.budget = budget;
        for (int k = 0; k < K; k++) {
            level[k] = Math.max(1, heaviestReplica(scenario(scenarios, k), settled.length, topology.ranks()));
        }
    }

    /** Loads of all experts in one scenario. */
    static double[] scenario(Scenarios scenarios, int k) {
        double[] load = new double[scenarios.experts()];
        for (int expert = 0; expert < load.length; expert++) {
            load[expert] = scenarios.load()[expert * K + k];
        }
        return load;
    }

    /** Every further slot goes to whoever weighs most, which is the best that can be done about the heaviest replica. */
    static double heaviestReplica(double[] load, int slots, int ranks) {
        int[] replicas = new int[load.length];
        Arrays.fill(replicas, 1);
        for (int slot = load.length; ; slot++) {
            int heaviest = 0;
            for (int expert = 0; expert < load.length; expert++) {
                if (load[expert] / replicas[expert] > load[heaviest] / replicas[heaviest]) {
                    heaviest = expert;
                }
            }
            if (slot == slots || replicas[heaviest] == ranks) {
                return load[heaviest] / replicas[heaviest];
            }
            replicas[heaviest]++;
        }
    }

    /** {@code [rank]}. */
    static double[] rankLoads(int[] placed, double[] load, int ranks) {
        int[] replicas = new int[load.length];
        for (int expert : placed) {
            replicas[expert]++;
        }
        double[] ofRank = new double[ranks];
        for (int slot = 0; slot < placed.length; slot++) {
            ofRank[slot / (placed.length / ranks)] += load[placed[slot]] / replicas[placed[slot]];
        }
        return ofRank;
    }

    /** {@code [rank]}. */
    double[] potentials(int[] placed) {
        double[] potentials = new double[topology.ranks()];
        for (int k = 0; k < K; k++) {
            double[] ofRank = rankLoads(placed, scenario(scenarios, k), topology.ranks());
            for (int rank = 0; rank < ofRank.length; rank++) {
                double above = Math.max(0, ofRank[rank] - level[k]);
                potentials[rank] += above * above / K;
            }
        }
        return potentials;
    }

    double potential(int[] placed) {
        return Arrays.stream(potentials(placed)).sum();
    }

    /** What all that is not where it was settled costs together. */
    double cost(int[] placed) {
        double sum = 0;
        for (int slot = 0; slot < placed.length; slot++) {
            int nearest = 3;
            for (int from = 0; from < settled.length; from++) {
                if (settled[from] == placed[slot]) {
                    nearest = Math.min(nearest, distance(rank(from), rank(slot)));
                }
            }
            sum += nearest == 0 ? 0 : nearest == 1 ? prices.sameNode() : prices.otherNode();
        }
        return sum;
    }

    private int distance(int a, int b) {
        return a == b
                ? 0
                : topology.nodeOfRank().get(a).equals(topology.nodeOfRank().get(b)) ? 1 : 2;
    }

    private int rank(int slot) {
        return slot / topology.slotsPerRank();
    }

    /** {@code [rank]}: experts that were not there. */
    int[] arrivals(int[] placed) {
        int[] arrivals = new int[topology.ranks()];
        for (int slot = 0; slot < placed.length; slot++) {
            boolean there = false;
            for (int local = 0; local < topology.slotsPerRank(); local++) {
                there |= settled[rank(slot) * topology.slotsPerRank() + local] == placed[slot];
            }
            arrivals[rank(slot)] += there ? 0 : 1;
        }
        return arrivals;
    }

    /** Takes the best step until none pays; {@code [slot]}. */
    int[] descend(int[] start) {
        int[] placed = start;
        while (true) {
            int[] next = bestStep(placed);
            if (next.length == 0) {
                return placed;
            }
            placed = next;
        }
    }

    /** The placement after the best step that pays; empty if there is none. */
    int[] bestStep(int[] placed) {
        double[] potentials = potentials(placed);
        boolean[] tried = new boolean[potentials.length];
        for (int attempt = 0; attempt < Math.min(RANKS_TRIED, potentials.length); attempt++) {
            int hot = -1;
            for (int rank = 0; rank < potentials.length; rank++) {
                hot = !tried[rank] && (hot < 0 || potentials[rank] > potentials[hot]) ? rank : hot;
            }
            if (potentials[hot] <= 0) {
                break;
            }
            tried[hot] = true;
            int[] best = bestStep(placed, hot);
            if (best.length > 0) {
                return best;
            }
        }
        return new int[0];
    }

    private int[] bestStep(int[] placed, int hot) {
        int[] best = {};
        double most = least;
        for (int[] candidate : NaiveSteps.from(placed, hot, topology.slotsPerRank(), scenarios.experts())) {
            double score = score(placed, candidate);
            if (score > most + 1e-9 && affordable(placed, candidate)) {
                best = candidate;
                most = score;
            }
        }
        return best;
    }

    /** What a change brings net of its price, per move. */
    double score(int[] placed, int[] candidate) {
        double cost = cost(candidate) - cost(placed);
        double net = gain(placed, candidate);
        return cost > 1 ? net / cost : net;
    }

    /** By how much the potential falls beyond the price of the moves. */
    double gain(int[] placed, int[] candidate) {
        return potential(placed) - potential(candidate) - price * (cost(candidate) - cost(placed));
    }

    private boolean affordable(int[] placed, int[] candidate) {
        int[] before = arrivals(placed);
        int[] after = arrivals(candidate);
        int more = Arrays.stream(after).sum() - Arrays.stream(before).sum();
        if (more > 0 && Arrays.stream(after).sum() > budget.moves()) {
            return false;
        }
        for (int rank = 0; rank < after.length; rank++) {
            if (after[rank] > before[rank] && after[rank] > budget.intoRank()) {
                return false;
            }
        }
        return true;
    }
}
