package dev.plimsoll.model;

import java.util.List;
import java.util.stream.IntStream;

/**
 * The ranks of a deployment, the node each is on, and how many slots each has.
 *
 * @param nodeOfRank {@code [rank]}, the node's number
 * @param slotsPerRank S, equal on all ranks
 */
public record Topology(List<Integer> nodeOfRank, int slotsPerRank) {
    public Topology {
        nodeOfRank = List.copyOf(nodeOfRank);
        if (nodeOfRank.isEmpty() || slotsPerRank < 1) {
            throw new IllegalArgumentException(
                    "ranks=" + nodeOfRank.size() + " slotsPerRank=" + slotsPerRank + ": need at least 1 of each");
        }
        if ((long) nodeOfRank.size() * slotsPerRank > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    nodeOfRank.size() + " ranks × " + slotsPerRank + " slots are more than can be numbered");
        }
        if (nodeOfRank.stream().anyMatch(node -> node < 0)) {
            throw new IllegalArgumentException("nodes must not be negative: " + nodeOfRank);
        }
    }

    /** Ranks spread over nodes in equal, contiguous blocks. */
    public static Topology even(int ranks, int nodes, int slotsPerRank) {
        if (nodes < 1 || ranks % nodes != 0) {
            throw new IllegalArgumentException(ranks + " ranks do not divide evenly over " + nodes + " nodes");
        }
        return new Topology(
                IntStream.range(0, ranks)
                        .map(rank -> rank / (ranks / nodes))
                        .boxed()
                        .toList(),
                slotsPerRank);
    }

    public int ranks() {
        return nodeOfRank.size();
    }

    public int slots() {
        return nodeOfRank.size() * slotsPerRank;
    }

    public RankId rankOf(SlotId slot) {
        if (slot.index() >= slots()) {
            throw new IllegalArgumentException(slot + " is outside of " + slots() + " slots");
        }
        return new RankId(slot.index() / slotsPerRank);
    }

    public boolean sameNode(RankId a, RankId b) {
        return nodeOfRank.get(a.index()).equals(nodeOfRank.get(b.index()));
    }
}
