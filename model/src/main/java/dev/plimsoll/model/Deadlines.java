package dev.plimsoll.model;

/**
 * How long a planner waits for ranks, counted in boundaries of theirs: engines that step slowly have more time, and one that stands
 * still has all the time it needs.
 *
 * @param accept boundaries from a proposal until all ranks have accepted it
 * @param progress boundaries until the next batch is flipped, or a decision that was aborted has stopped
 */
public record Deadlines(int accept, int progress) {
    /**
     * What fits engines that reach a boundary a few times a second: most of a minute to accept, and to flip two cycles of an engine that
     * changes its map every 708 steps by itself, with a boundary every 8.
     */
    public static final Deadlines DEFAULT = new Deadlines(60, 200);

    public Deadlines {
        if (accept < 1 || progress < 1) {
            throw new IllegalArgumentException(
                    "deadlines of " + accept + " and " + progress + " boundaries: each must be at least 1");
        }
    }
}
