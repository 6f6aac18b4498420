package dev.plimsoll.simulator;

/**
 * How one assignment (a token's turn at one expert) is packed into an int: the cell, which is layer × slots per rank + local
 * slot at its destination, above the expert that the router picked.
 */
record AssignmentLayout(int slotsPerRank, int expertBits) {

    static AssignmentLayout of(EngineSettings settings) {
        return new AssignmentLayout(
                settings.topology().slotsPerRank(), bitsFor(settings.model().experts()));
    }

    /** Whether cells and experts of this shape fit an int. */
    static boolean fits(int layers, int slotsPerRank, int experts) {
        return ((long) layers * slotsPerRank) << bitsFor(experts) <= Integer.MAX_VALUE;
    }

    int pack(int layer, int localSlot, int expert) {
        return (layer * slotsPerRank + localSlot) << expertBits | expert;
    }

    int cell(int assignment) {
        return assignment >>> expertBits;
    }

    int expert(int assignment) {
        return assignment & ((1 << expertBits) - 1);
    }

    private static int bitsFor(int experts) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(experts - 1);
    }
}
