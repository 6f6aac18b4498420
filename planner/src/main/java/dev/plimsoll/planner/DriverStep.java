package dev.plimsoll.planner;

import java.util.List;

/** A state and what has to be done to be in it. */
public record DriverStep(DriverState state, List<DriverEffect> effects) {
    public DriverStep {
        effects = List.copyOf(effects);
    }
}
