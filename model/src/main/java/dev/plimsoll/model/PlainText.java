package dev.plimsoll.model;

/** Text for people that comes from elsewhere: one line, of bounded length, that does nothing to a terminal. */
final class PlainText {
    private static final int LONGEST = 200;

    private PlainText() {}

    static void require(String what, String text) {
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException(
                    "name of " + what + " has " + text.length() + " characters: at most " + LONGEST);
        }
        if (text.codePoints().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(what + " '" + text.replaceAll("[\\p{Cntrl}\\x80-\\x9f]", "?")
                    + "' must have no control characters");
        }
    }
}
