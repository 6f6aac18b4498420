package dev.plimsoll.planner.placement;

/**
 * What bringing one expert to a slot costs by where the nearest holder is, relative to a move within a node.
 *
 * @param sameNode where a rank of the same node holds the expert
 * @param otherNode where only ranks of other nodes do
 */
public record MovePrices(double sameNode, double otherNode) {
    /** Every move costs the same. */
    public static final MovePrices EQUAL = new MovePrices(1, 1);

    public MovePrices {
        if (!(sameNode > 0) || !(otherNode >= sameNode) || Double.isInfinite(otherNode)) {
            throw new IllegalArgumentException("prices must be above 0 and another node's not below the same node's: "
                    + sameNode + ", " + otherNode);
        }
    }
}
