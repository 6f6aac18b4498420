package dev.plimsoll.simulator;

/**
 * An assignment that met other weights than those of the expert that its router picked, or came to a slot that stands idle.
 *
 * @param step the step
 * @param layer layer, over MoE layers
 * @param slot global slot that it was sent to
 * @param expectedExpert what the router picked
 * @param word index of the 64-bit word that was looked at
 * @param found whose weights that word belongs to, for people
 */
public record MisroutedToken(long step, int layer, int slot, int expectedExpert, int word, String found) {
    @Override
    public String toString() {
        return "step " + step + " layer " + layer + " slot " + slot + ": expert " + expectedExpert + " expected, word "
                + word + " is " + found;
    }
}
