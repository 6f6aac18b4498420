package dev.plimsoll.app.operator;

/** How far a decision has come. */
public enum DecisionState {
    /** Waits for a person to approve of it. */
    WAITING_FOR_APPROVAL,
    /** Waits for all ranks to accept it. */
    PROPOSED,
    /** Permitted: ranks transfer and flip. */
    RUNNING,
    /** Stopped: waits for all ranks to say how far they got. */
    ABORTING,
    /** All of it is the placement now. */
    SETTLED,
    /** It was stopped, and what had been flipped by then is the placement now. */
    SETTLED_PREFIX,
    /** Nothing of it was flipped. */
    VOID;

    public boolean ended() {
        return this == SETTLED || this == SETTLED_PREFIX || this == VOID;
    }
}
