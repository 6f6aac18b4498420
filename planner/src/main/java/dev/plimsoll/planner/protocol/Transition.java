package dev.plimsoll.planner.protocol;

import java.util.List;

/** A state and what has to be done to be in it. */
public record Transition(PlannerState state, List<Effect> effects) {
    public Transition {
        effects = List.copyOf(effects);
    }
}
