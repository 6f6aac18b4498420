package dev.plimsoll.aggregator;

/**
 * Whether closed windows wait for others to be committed with them. Only while the end of the log is far, where nobody waits for this very
 * window, and never for long: a transaction costs the same for one window as for ten. What is committed together changes nothing in what
 * is committed.
 */
final class CatchingUp {
    /** Far behind, whatever clocks differ by: records that were appended so long ago. */
    static final long FAR_MILLIS = 10_000;
    /** Longest wait. */
    static final long WAIT_MILLIS = 200;

    private static final long NOT_WAITING = Long.MIN_VALUE;

    private long appendedMillis = Long.MAX_VALUE;
    private long waitingSinceMillis = NOT_WAITING;
    private boolean waits;

    void read(long appendTimeMillis) {
        appendedMillis = appendTimeMillis;
    }

    /** Asked after every poll. */
    void polled(boolean anythingToCommit, long nowMillis) {
        if (!anythingToCommit) {
            waitingSinceMillis = NOT_WAITING;
        } else if (waitingSinceMillis == NOT_WAITING || waitingSinceMillis > nowMillis) {
            waitingSinceMillis = nowMillis;
        }
        waits = anythingToCommit
                && nowMillis - FAR_MILLIS >= appendedMillis
                && nowMillis - waitingSinceMillis < WAIT_MILLIS;
    }

    boolean waits() {
        return waits;
    }

    /** What waited is on its way. */
    void taken() {
        waitingSinceMillis = NOT_WAITING;
        waits = false;
    }
}
