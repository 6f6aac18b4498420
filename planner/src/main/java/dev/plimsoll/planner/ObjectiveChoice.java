package dev.plimsoll.planner;

/** Which {@link dev.plimsoll.planner.placement.Objective} a deployment is planned by. */
public enum ObjectiveChoice {
    /** Time where a device profile is known, else tokens. */
    AUTO,
    TOKENS,
    TIME
}
