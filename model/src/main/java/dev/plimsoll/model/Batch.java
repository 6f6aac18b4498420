package dev.plimsoll.model;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The moves and switches that are flipped together: all those of one or more whole layers.
 *
 * @param number 1, 2, 3… within its decision
 * @param moves in plan order, which is the order of transfers; a moved slot comes into use
 * @param switches slots that come into use or fall idle, after the moves
 */
public record Batch(int number, List<Move> moves, List<Switch> switches) {
    /** A batch in which nothing but moves changes what slots are for. */
    public Batch(int number, List<Move> moves) {
        this(number, moves, List.of());
    }

    public Batch {
        moves = List.copyOf(moves);
        switches = List.copyOf(switches);
        if (number < 1 || (moves.isEmpty() && switches.isEmpty())) {
            throw new IllegalArgumentException(
                    "batch " + number + " has " + moves.size() + " moves and " + switches.size() + " switches");
        }
        Set<String> targets = new HashSet<>();
        for (Move move : moves) {
            if (!targets.add(move.layer().index() + "/" + move.slot().index())) {
                throw new IllegalArgumentException(
                        "batch " + number + " moves " + move.slot() + " of " + move.layer() + " twice");
            }
        }
        Set<String> switched = new HashSet<>();
        for (Switch change : switches) {
            if (!switched.add(change.layer().index() + "/" + change.slot().index())) {
                throw new IllegalArgumentException(
                        "batch " + number + " switches " + change.slot() + " of " + change.layer() + " twice");
            }
        }
    }
}
