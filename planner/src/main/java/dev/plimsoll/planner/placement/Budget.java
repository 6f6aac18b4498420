package dev.plimsoll.planner.placement;

/**
 * What the moves of one decision may take together.
 *
 * @param moves most slots that get another expert
 * @param bytes most bytes of weights that are brought to ranks; copies within a rank count too
 * @param layers most layers that are touched
 */
public record Budget(int moves, long bytes, int layers) {
    /** No limit. */
    public static final Budget UNLIMITED = new Budget(Integer.MAX_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE);

    public Budget {
        if (moves < 1 || bytes < 1 || layers < 1) {
            throw new IllegalArgumentException("a budget must allow at least one move, byte and layer: moves " + moves
                    + ", bytes " + bytes + ", layers " + layers);
        }
    }
}
