package dev.plimsoll.planner;

import java.time.Duration;

/**
 * What people have to say in what the planner decides by itself.
 *
 * @param required whether each decision waits for somebody to approve of it
 * @param within how long it waits, by the clock; then it is aborted
 */
public record ApprovalChoice(boolean required, Duration within) {
    /** Nobody is asked. */
    public static final ApprovalChoice NONE = new ApprovalChoice(false, Duration.ofMinutes(30));

    public ApprovalChoice {
        if (within.isNegative() || within.isZero()) {
            throw new IllegalArgumentException("people need some time to approve: " + within);
        }
    }
}
