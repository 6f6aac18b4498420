package dev.plimsoll.model;

/** Why a window was closed, and so whether it is complete. */
public enum CloseReason {
    /** All ranks passed its end and every cell is there. */
    COMPLETE,
    /** All ranks passed its end, but cells are missing: their samples were dropped. */
    GAP,
    /** A sample spanned its border, so its counts could not be attributed. */
    SPANNING,
    /** A quorum of ranks passed its end by the grace in steps. */
    STEPS,
    /** A quorum passed its end, and the grace in append time went by. */
    TIME,
    /** The incarnation ended or another began. */
    INCARNATION,
    /** A quorum turned out to be far away, as after a long outage of all reporters; the next window is not its neighbour. */
    RESYNC,
    /** Input was lost or given up. */
    TRUNCATED,
    /** Nothing came for the idle time, in append time: the engine stands still, or died without an END. */
    IDLE
}
