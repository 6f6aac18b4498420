package dev.plimsoll.planner.protocol;

/**
 * Whether a decision waits for a person, and how long. By the clock: a person is no rank, and an engine that stands still gives nobody
 * more time to make up their mind.
 *
 * @param awaited whether somebody has to approve and has not
 * @param untilMillis by the planner's clock; when it has passed, the decision is aborted
 */
public record Approval(boolean awaited, long untilMillis) {
    /** Nobody has to approve, or somebody has. */
    public static final Approval NONE = new Approval(false, Long.MAX_VALUE);

    static Approval until(long millis) {
        return new Approval(true, millis);
    }
}
