package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Topology;

/**
 * What it costs to have an expert on a rank: nothing where the settled placement has it, else the price of bringing it from the
 * nearest rank that does.
 */
final class MoveCosts {
    private final int[] expertOfSlot;
    private final int experts;
    private final MovePrices prices;
    private final int[] nodeOf;
    /** {@code [rank · experts + expert]} and {@code [node · experts + expert]}: where experts are settled. */
    private final boolean[] onRank;

    private final boolean[] onNode;

    /** @param expertOfSlot {@code [slot]}, settled; not to be written to */
    MoveCosts(int[] expertOfSlot, int experts, Topology topology, MovePrices prices) {
        this.expertOfSlot = expertOfSlot;
        // One more: to leave a slot idle costs nothing.
        this.experts = experts + 1;
        this.prices = prices;
        this.nodeOf = new int[topology.ranks()];
        for (int rank = 0; rank < nodeOf.length; rank++) {
            nodeOf[rank] = node(topology, rank);
        }
        this.onRank = new boolean[topology.ranks() * this.experts];
        this.onNode = new boolean[nodeOf.length * this.experts];
        for (int rank = 0; rank < topology.ranks(); rank++) {
            onRank[rank * this.experts + experts] = true;
        }
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int rank = slot / topology.slotsPerRank();
            onRank[rank * this.experts + expertOfSlot[slot]] = true;
            onNode[nodeOf[rank] * this.experts + expertOfSlot[slot]] = true;
        }
    }

    /** The rank's node, as the first rank on it: numbers of nodes may be any. */
    private int node(Topology topology, int rank) {
        Integer node = topology.nodeOfRank().get(rank);
        if (rank > 0 && topology.nodeOfRank().get(rank - 1).equals(node)) {
            return nodeOf[rank - 1];
        }
        return topology.nodeOfRank().indexOf(node);
    }

    /** The expert that the slot had. */
    int settledExpert(int slot) {
        return expertOfSlot[slot];
    }

    /** {@code [slot]}; not to be written to. */
    int[] settled() {
        return expertOfSlot;
    }

    boolean settled(int rank, int expert) {
        return onRank[rank * experts + expert];
    }

    double of(int rank, int expert) {
        if (onRank[rank * experts + expert]) {
            return 0;
        }
        return onNode[nodeOf[rank] * experts + expert] ? prices.sameNode() : prices.otherNode();
    }
}
