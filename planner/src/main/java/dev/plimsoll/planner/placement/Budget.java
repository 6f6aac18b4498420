package dev.plimsoll.planner.placement;

/**
 * What the moves of one decision may take together.
 *
 * @param moves most slots that get another expert
 * @param bytes most bytes of weights that are brought to ranks; copies within a rank count too
 * @param layers most layers that are touched
 * @param intoRank most experts of one layer that come to one rank: what its staging memory holds, as a layer is flipped whole
 */
public record Budget(int moves, long bytes, int layers, int intoRank) {
    /** No limit. */
    public static final Budget UNLIMITED =
            new Budget(Integer.MAX_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE);

    public Budget {
        if (moves < 1 || bytes < 1 || layers < 1 || intoRank < 1) {
            throw new IllegalArgumentException(
                    "a budget must allow at least one move, byte and layer, and one expert into a " + "rank: moves "
                            + moves + ", bytes " + bytes + ", layers " + layers + ", into a rank " + intoRank);
        }
    }

    /**
     * This budget as policies see it, in moves alone: a search that knew nothing of bytes would want layers that no cutter could
     * then let through.
     *
     * @param stagedPerRank experts that a rank's staging memory holds
     * @param bytesPerExpert at most {@code bytes}
     */
    public Budget within(int stagedPerRank, long bytesPerExpert) {
        int affordable = (int) Math.min(moves, bytes / bytesPerExpert);
        return new Budget(affordable, bytes, layers, Math.min(intoRank, stagedPerRank));
    }
}
