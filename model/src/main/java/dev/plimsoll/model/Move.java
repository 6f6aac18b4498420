package dev.plimsoll.model;

/**
 * One slot gets another expert.
 *
 * @param slot where the expert comes to
 * @param expert the expert that the slot will hold
 * @param source a slot that holds the expert before the decision; its rank sends the weights (a copy where it is the same rank)
 */
public record Move(LayerId layer, SlotId slot, ExpertId expert, SlotId source) {
    public Move {
        if (slot.equals(source)) {
            throw new IllegalArgumentException(slot + " of " + layer + " cannot be its own source");
        }
    }
}
