package dev.plimsoll.model;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The moves that are flipped together: all the moves of one or more whole layers.
 *
 * @param number 1, 2, 3… within its decision
 * @param moves in plan order, which is the order of transfers
 */
public record Batch(int number, List<Move> moves) {
    public Batch {
        moves = List.copyOf(moves);
        if (number < 1 || moves.isEmpty()) {
            throw new IllegalArgumentException("batch " + number + " has " + moves.size() + " moves");
        }
        Set<String> targets = new HashSet<>();
        for (Move move : moves) {
            if (!targets.add(move.layer().index() + "/" + move.slot().index())) {
                throw new IllegalArgumentException(
                        "batch " + number + " moves " + move.slot() + " of " + move.layer() + " twice");
            }
        }
    }
}
