package dev.plimsoll.worker;

import java.util.random.RandomGenerator;

/** A machine's clock: hours off, and set forward or, a little and once, back. */
final class SkewedClock {
    private static final long DAY_MILLIS = 86_400_000;
    private static final int HOUR_MILLIS = 3_600_000;
    private static final int BACK_MILLIS = 300;

    private final RandomGenerator random;
    private long ahead;
    private boolean wasSetBack;

    SkewedClock(RandomGenerator random) {
        this.random = random;
        ahead = random.nextInt(24) * (long) HOUR_MILLIS;
    }

    /** @param time as it really is, since the schedule began */
    long millis(long time) {
        return DAY_MILLIS + time + ahead;
    }

    void set() {
        if (!wasSetBack && random.nextBoolean()) {
            wasSetBack = true;
            ahead -= 1 + random.nextInt(BACK_MILLIS);
        } else {
            ahead += 1 + random.nextInt(HOUR_MILLIS / 2);
        }
    }

    @Override
    public String toString() {
        return ahead + " ms ahead";
    }
}
