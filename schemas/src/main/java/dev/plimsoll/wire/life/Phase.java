package dev.plimsoll.wire.life;

/** Where a partition is on its way to work. Only a {@link #RUNNING} one has its input read. */
public enum Phase {
    /** Ours, and nothing is done for it yet. */
    ASSIGNED,
    /** The predecessor is being fenced, and the log looked at. */
    FENCING,
    /** Its task rebuilds its state. */
    RECOVERING,
    /** Its task works. */
    RUNNING,
    /** Something broke: it will soon be tried again. */
    WAITING,
    /** Something broke that time alone will hardly mend: it is tried again rarely, and somebody should look. */
    QUARANTINED
}
