package dev.plimsoll.replay.format.text;

import java.nio.charset.StandardCharsets;

/** JSON text laid out as engines' own writers lay it out, so that what they wrote comes back to the byte. */
final class JsonLayout {
    private final StringBuilder text = new StringBuilder();
    private final String comma;

    private JsonLayout(String comma) {
        this.comma = comma;
    }

    /** A space after commas and colons, all on one line. */
    static JsonLayout spaced() {
        return new JsonLayout(", ");
    }

    /** No space at all. */
    static JsonLayout dense() {
        return new JsonLayout(",");
    }

    JsonLayout put(String part) {
        text.append(part);
        return this;
    }

    JsonLayout put(long number) {
        text.append(number);
        return this;
    }

    /** A text, escaped. */
    JsonLayout quoted(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
        return this;
    }

    JsonLayout list(int[] numbers) {
        text.append('[');
        for (int i = 0; i < numbers.length; i++) {
            text.append(i == 0 ? "" : comma).append(numbers[i]);
        }
        text.append(']');
        return this;
    }

    JsonLayout list(long[] numbers) {
        text.append('[');
        for (int i = 0; i < numbers.length; i++) {
            text.append(i == 0 ? "" : comma).append(numbers[i]);
        }
        text.append(']');
        return this;
    }

    JsonLayout table(int[][] rows) {
        text.append('[');
        for (int i = 0; i < rows.length; i++) {
            text.append(i == 0 ? "" : comma);
            list(rows[i]);
        }
        text.append(']');
        return this;
    }

    JsonLayout table(long[][] rows) {
        text.append('[');
        for (int i = 0; i < rows.length; i++) {
            text.append(i == 0 ? "" : comma);
            list(rows[i]);
        }
        text.append(']');
        return this;
    }

    JsonLayout cube(long[][][] tables) {
        text.append('[');
        for (int i = 0; i < tables.length; i++) {
            text.append(i == 0 ? "" : comma);
            table(tables[i]);
        }
        text.append(']');
        return this;
    }

    byte[] bytes() {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
