package dev.plimsoll.planner.placement;

/** Why the placement stays as it is, for this window. */
public enum KeepReason {
    /** Fewer complete windows than the plan and its check need. */
    COLD,
    /** The newest window is not complete: it does not say what the load was. */
    INCOMPLETE,
    /** In a layer of the newest window the slots computed other tokens than were sent to them: its load is not to be believed. */
    NOT_CONSERVED,
    /** The window was measured under a placement state that the plan log does not explain. */
    UNKNOWN_STATE,
    /** A decision is in flight. */
    IN_FLIGHT,
    /** Too few windows since the last decision ended. */
    COOLDOWN,
    /** Decisions have come to nothing, one after another for the same reason: the more, the longer is the pause. */
    BACK_OFF,
    /** The ranks cannot vote. */
    OBSERVE_ONLY,
    /** Somebody has paused the deployment: nothing is decided until it is resumed. */
    PAUSED,
    /** Pins and drains that no placement can keep together. */
    CONSTRAINED,
    /** Ranks disagreed about what was flipped; nothing is decided until an operator voids it, or the next incarnation. */
    QUARANTINED,
    /** The policy wants no change: every layer is even enough, or a change does not pay for its moves. */
    BALANCED,
    /** What the policy wants does not fit: the budget of moves or staging memory leaves nothing of it. */
    BUDGET,
    /** The newest window does not show the minimum gain. */
    GAIN,
    /** What the policy would have made without the newest window does not show the minimum gain there. */
    HELD_OUT,
    /** The gain over the horizon does not pay for the transfers and flips. */
    COST,
    /** The independent rules found the plan wrong: a bug of the policy. */
    INVALID,
    /** An engine began with a placement in which nobody holds some expert, so that none can send its weights. */
    LOST_EXPERT,
    /** The policy failed. */
    ERROR,
    /** The plan was not made in time and is given up. */
    TIMEOUT
}
