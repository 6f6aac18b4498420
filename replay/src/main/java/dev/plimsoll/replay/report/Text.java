package dev.plimsoll.replay.report;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Numbers as people read them. */
final class Text {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("d MMM uuuu HH:mm:ss 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final long DAY_MILLIS = 86_400_000;
    private static final String[] BYTES = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

    private Text() {}

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** {@code 1 move}, {@code 2 moves}. */
    static String count(long number, String one) {
        return count(number) + "\u00a0" + one + (number == 1 ? "" : "s");
    }

    /** Balancedness; a dash where there is none. */
    static String ratio(double value) {
        return format("%.4f", value);
    }

    /** Of microseconds, with three digits behind the point. */
    static String millis(double micros) {
        return format("%.3f", micros / 1e3);
    }

    static String percent(double share) {
        return format("%.1f\u00a0%%", share * 100);
    }

    /** With its sign, which is a minus and not a hyphen. */
    static String change(double share) {
        String text = format("%+.1f\u00a0%%", share * 100);
        return text.equals("-0.0\u00a0%") || text.equals("+0.0\u00a0%") ? "±0.0\u00a0%" : text.replace('-', '−');
    }

    /** A dash for what is no number. */
    static String format(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "–";
    }

    /** In powers of ten; a dash for 0, which means that the size of an expert is not known. */
    static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1000) {
            value /= 1000;
            unit++;
        }
        return bytes == 0
                ? "–"
                : String.format(
                        Locale.ROOT, value < 10 && unit > 0 ? "%.1f\u00a0%s" : "%.0f\u00a0%s", value, BYTES[unit]);
    }

    static String time(long millis) {
        return TIME.format(Instant.ofEpochMilli(millis));
    }

    /** Without the day where it is the same as that of the other. */
    static String time(long millis, long other) {
        return Math.floorDiv(millis, DAY_MILLIS) == Math.floorDiv(other, DAY_MILLIS)
                ? CLOCK.format(Instant.ofEpochMilli(millis))
                : time(millis);
    }
}
