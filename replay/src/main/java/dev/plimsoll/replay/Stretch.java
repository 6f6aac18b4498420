package dev.plimsoll.replay;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.ExpertTime;

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

    /**
     * Expert time of a step in it, in microseconds.
     *
     * @param load of the whole window
     * @param steps of a part
     */
    double expertMicros(ExpertLoad load, double steps, ExpectedTime expected, Topology topology) {
        double[][] perStep = new double[load.layers()][load.experts()];
        for (int layer = 0; layer < perStep.length; layer++) {
            for (int expert = 0; expert < perStep[layer].length; expert++) {
                long tokens = 0;
                for (int part = from; part < to; part++) {
                    tokens += load.at(layer, part, expert);
                }
                perStep[layer][expert] = tokens / (steps * (to - from));
            }
        }
        return ExpertTime.stepMicros(served, perStep, 1, expected, topology);
    }
}
