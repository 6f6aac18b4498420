package dev.plimsoll.simulator;

/**
 * When the next step is due, at a fixed rate.
 *
 * <p>Deadlines follow each other by the period, whatever a step took, so the rate does not drift; who is late catches up. But
 * who is late by more than a second starts anew from now: a stall must not be followed by a long burst at full speed. Times
 * are {@link System#nanoTime()}, passed in. One thread.
 */
final class Pace {
    private static final long MAX_BEHIND_NANOS = 1_000_000_000L;

    private final double periodNanos;
    private boolean started;
    private long origin;
    private long steps;

    /** @param stepsPerSecond 0: always due */
    Pace(double stepsPerSecond) {
        periodNanos = stepsPerSecond == 0 ? 0 : 1e9 / stepsPerSecond;
    }

    /** The time at which the next step is due; every call is another step. */
    long nextDeadline(long now) {
        long deadline = origin + (long) (steps * periodNanos);
        if (!started || periodNanos == 0 || now - deadline > MAX_BEHIND_NANOS) {
            started = true;
            origin = now;
            steps = 0;
            deadline = now;
        }
        steps++;
        return deadline;
    }
}
