package dev.plimsoll.worker.explorer;

/** What an adversary may do, each as often as {@link Powers} say. */
enum Power {
    /** A gather whose votes one rank cannot see, or that one rank's vote does not reach. */
    LOSE_GATHER,
    /** A transfer ends badly, or an engine's move leaves the map as it was or makes another. */
    FAIL_TRANSFER,
    /** Staging memory stays touched over a boundary. */
    HOLD_STAGING,
    /** A mailbox breaks. */
    BREAK_MAILBOX,
    /** The end of the first decision does not reach one rank. */
    MISS_END,
    /** An engine's own balancer moves. */
    BALANCE,
    /** An operator, or a deadline, stops what is in flight without need. */
    STOP,
    /** The planner dies. */
    KILL_PLANNER,
    /** Another planner takes over while the one before lives, and does not know yet. */
    FAIL_OVER,
    /** A rank dies in place of its boundary. */
    CRASH,
    /** All ranks begin a new life. */
    RESTART,
    /** What a rank's state says at a boundary is never written. */
    LOSE_ACKS,
    /** A window of the ranks' samples is complete. */
    SHOW_WINDOW,
    /** An operator wants ended what does not end by itself. */
    END,
    /** A plan takes its time, and other things happen meanwhile. */
    SLOW_PLAN,
    /** Windows show that what is settled is worse than what was before it. */
    FIND_WORSE,
    /** The engine of a rank loads other weights into all of its slots: it asks whether it may, at every boundary until it may. */
    RELOAD,
    /** It asks nobody. */
    RELOAD_UNASKED
}
