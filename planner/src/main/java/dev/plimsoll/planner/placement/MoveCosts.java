package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * What it costs to have an expert on a rank: nothing where the settled placement has it, else the price of bringing it from the
 * nearest rank that does.
 */
final class MoveCosts {
    private final int[] expertOfSlot;
    private final int experts;
    private final int[] nodeOf;
    /** From the nearest rank that has the expert, {@code [rank · experts + expert]}: 0 for itself, 1 on its node, 2 elsewhere. */
    private final byte[] distance;
    /** {@code [distance]}. */
    private final double[] price;

    /** @param expertOfSlot {@code [slot]}, settled; not to be written to */
    MoveCosts(int[] expertOfSlot, int experts, Topology topology, MovePrices prices) {
        this.expertOfSlot = expertOfSlot;
        // One more: to leave a slot idle costs nothing.
        this.experts = experts + 1;
        this.price = new double[] {0, prices.sameNode(), prices.otherNode()};
        this.nodeOf = new int[topology.ranks()];
        for (int rank = 0; rank < nodeOf.length; rank++) {
            nodeOf[rank] = node(topology, rank);
        }
        this.distance = new byte[topology.ranks() * this.experts];
        Arrays.fill(distance, (byte) 2);
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int from = slot / topology.slotsPerRank();
            for (int rank = 0; rank < nodeOf.length; rank++) {
                int at = rank * this.experts + expertOfSlot[slot];
                if (rank == from) {
                    distance[at] = 0;
                } else if (nodeOf[rank] == nodeOf[from]) {
                    distance[at] = (byte) Math.min(distance[at], 1);
                }
            }
        }
        for (int rank = 0; rank < topology.ranks(); rank++) {
            distance[rank * this.experts + experts] = 0;
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
        return distance[rank * experts + expert] == 0;
    }

    double of(int rank, int expert) {
        return price[distance[rank * experts + expert]];
    }
}
