package dev.plimsoll.app.watch;

import java.util.Locale;

/** Times in milliseconds, for people. */
public final class Millis {
    private Millis() {}

    /** Three digits that say something: {@code 41.3}, {@code 2.41}, {@code 0.847}; without a unit. */
    public static String of(double micros) {
        double millis = micros / 1e3;
        return String.format(
                Locale.ROOT,
                millis < 9.995 ? millis < 0.9995 ? "%.3f" : "%.2f" : millis < 99.95 ? "%.1f" : "%,.0f",
                millis);
    }
}
