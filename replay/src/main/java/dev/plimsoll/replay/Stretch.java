package dev.plimsoll.replay;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;

/**
 * Parts of a window that ran under one placement.
 *
 * @param state of the ranks
 * @param served the expert of every slot in that state
 * @param from first part
 * @param to behind the last part
 */
record Stretch(PlacementState state, Placement served, int from, int to) {
    Stretch {
        if (from < 0 || to <= from) {
            throw new IllegalArgumentException("parts " + from + " to " + to);
        }
    }
}
