package dev.plimsoll.app.operator;

/** Where a deployment stands, as its operators know it. */
public enum DeploymentStage {
    /** No planner has taken this incarnation over yet. */
    UNPLANNED,
    /** Nothing is in flight. */
    IDLE,
    /** A decision waits for a person. */
    WAITING_FOR_APPROVAL,
    /** A decision waits for its ranks to accept it. */
    PROPOSED,
    /** A decision is being carried out. */
    RUNNING,
    /** A decision was stopped, and not all ranks have said how far they got. */
    ABORTING,
    /** Ranks disagree, or the topics do: what is served is not known. */
    QUARANTINED,
    /** Ranks cannot vote, so nothing is decided. */
    OBSERVE_ONLY
}
