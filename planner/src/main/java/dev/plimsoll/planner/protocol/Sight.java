package dev.plimsoll.planner.protocol;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is known of the ranks of an incarnation besides their acks of the decision in flight.
 *
 * @param whole the newest complete window
 * @param newest the newest window, complete or not
 * @param stoppedAt the step at or before which every rank that said that it has stopped the decision in flight had stopped it; empty where
 *     none has said so
 */
public record Sight(Optional<Served> whole, Optional<Served> newest, OptionalLong stoppedAt) {
    /** Nothing was seen. */
    public static final Sight NONE = new Sight(Optional.empty(), Optional.empty(), OptionalLong.empty());
}
