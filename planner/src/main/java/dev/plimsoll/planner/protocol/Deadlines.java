package dev.plimsoll.planner.protocol;

/** How long ranks may take, in milliseconds; each passed deadline becomes a fact by a command in the log. */
public record Deadlines(long acceptMillis, long progressMillis, long abortMillis) {
    public Deadlines {
        if (acceptMillis < 1 || progressMillis < 1 || abortMillis < 1) {
            throw new IllegalArgumentException("deadlines must be at least 1 ms: accept " + acceptMillis + ", progress "
                    + progressMillis + ", abort " + abortMillis);
        }
    }
}
