package dev.plimsoll.model;

import java.util.regex.Pattern;

/** Text that whoever wrote a record has chosen, made fit to be told: one line, and no longer than is read. */
public final class ForeignText {
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\u0085\\u2028\\u2029]");

    private ForeignText() {}

    /**
     * The text with control characters and line ends replaced by {@code ?}, and cut to so many characters with {@code …} at its end.
     * What has gone through it stays the same when it does so again.
     */
    public static String of(String text, int most) {
        if (text.length() <= most) {
            return CONTROL.matcher(text).replaceAll("?");
        }
        int end = Character.isHighSurrogate(text.charAt(most - 2)) ? most - 2 : most - 1;
        return CONTROL.matcher(text.substring(0, end)).replaceAll("?") + "…";
    }
}
