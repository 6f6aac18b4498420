package dev.plimsoll.planner;

/** Why a plan that was wanted led to nothing, not even to a reason to keep the placement. */
public enum PlanDrop {
    /** A newer window came before the plan was begun. */
    SUPERSEDED,
    /** What it was to start from holds no more: another decision, another incarnation, windows forgotten. */
    STALE
}
