package dev.plimsoll.app.operator;

import java.time.Duration;
import java.util.Locale;

/** Times as people speak of them. */
public final class Ago {
    private Ago() {}

    /** Such as {@code 41 s ago}; a clock that is ahead of ours a little says now. */
    public static String of(long thenMillis, long nowMillis) {
        return of(Duration.ofMillis(Math.max(0, nowMillis - thenMillis))) + " ago";
    }

    /** Such as {@code 41 s}, {@code 5 min}, {@code 3 h}, {@code 12 d}. */
    public static String of(Duration time) {
        if (time.toSeconds() < 120) {
            return time.toSeconds() + " s";
        } else if (time.toMinutes() < 120) {
            return time.toMinutes() + " min";
        }
        return time.toHours() < 72 ? time.toHours() + " h" : time.toDays() + " d";
    }

    /** Such as {@code 1.3 s}: what something took. */
    public static String took(Duration time) {
        return time.toSeconds() < 120 ? String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1e3) : of(time);
    }
}
