package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Topology;

/**
 * What it costs to have an expert on a rank: nothing where the settled placement has it, else the price of bringing it from the
 * nearest rank that does.
 */
final class MoveCosts {
    private final int[] expertOfSlot;
    private final int experts;
    /** {@code [rank · experts + expert]}. */
    private final boolean[] settled;

    private final double[] cost;
    private final double most;

    /** @param expertOfSlot {@code [slot]}, settled */
    MoveCosts(int[] expertOfSlot, int experts, Topology topology, MovePrices prices) {
        this.expertOfSlot = expertOfSlot;
        this.experts = experts;
        this.settled = new boolean[topology.ranks() * experts];
        this.cost = new double[topology.ranks() * experts];
        this.most = prices.otherNode();
        int nodes = 1
                + topology.nodeOfRank().stream()
                        .mapToInt(Integer::intValue)
                        .max()
                        .orElse(0);
        boolean[] onNode = new boolean[nodes * experts];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int rank = slot / topology.slotsPerRank();
            settled[rank * experts + expertOfSlot[slot]] = true;
            onNode[topology.nodeOfRank().get(rank) * experts + expertOfSlot[slot]] = true;
        }
        for (int rank = 0; rank < topology.ranks(); rank++) {
            int node = topology.nodeOfRank().get(rank);
            for (int expert = 0; expert < experts; expert++) {
                double price = onNode[node * experts + expert] ? prices.sameNode() : prices.otherNode();
                cost[rank * experts + expert] = settled[rank * experts + expert] ? 0 : price;
            }
        }
    }

    /** The expert that the slot had. */
    int settledExpert(int slot) {
        return expertOfSlot[slot];
    }

    boolean settled(int rank, int expert) {
        return settled[rank * experts + expert];
    }

    double of(int rank, int expert) {
        return cost[rank * experts + expert];
    }

    /** The most that one move costs. */
    double most() {
        return most;
    }
}
