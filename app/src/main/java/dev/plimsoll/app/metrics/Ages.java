package dev.plimsoll.app.metrics;

import java.util.OptionalLong;

/** How long ago something was, in words for people. */
final class Ages {
    private static final long SECOND = 1_000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;

    private Ages() {}

    /** Such as {@code 12 s ago}; {@code never} where it has not been. */
    static String ago(OptionalLong thenMillis, long nowMillis) {
        return thenMillis.isPresent() ? text(nowMillis - thenMillis.getAsLong()) + " ago" : "never";
    }

    /** Of two units at most the larger: whoever reads it wants to know whether to hurry. */
    static String text(long millis) {
        if (millis < 2 * MINUTE) {
            return Math.max(0, millis) / SECOND + " s";
        }
        if (millis < 2 * HOUR) {
            return millis / MINUTE + " min";
        }
        return millis < 2 * DAY ? millis / HOUR + " h" : millis / DAY + " d";
    }
}
