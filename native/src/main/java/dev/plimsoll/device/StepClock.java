package dev.plimsoll.device;

/**
 * What the steps of a rank have taken, up to now, and how long none ran. Both only grow, from wherever the rank began: what counts is by
 * how much from one boundary to another.
 *
 * @param busyNanos that steps took, all that lies between them included, without {@code idleNanos}
 * @param idleNanos in which no step ran, as there was nothing to do
 */
public record StepClock(long busyNanos, long idleNanos) {
    public StepClock {
        if (busyNanos < 0 || idleNanos < 0) {
            throw new IllegalArgumentException(
                    "steps take no less than nothing: " + busyNanos + " ns, idle " + idleNanos + " ns");
        }
    }
}
