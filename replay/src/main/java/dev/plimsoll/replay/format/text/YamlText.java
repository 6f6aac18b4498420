package dev.plimsoll.replay.format.text;

import dev.plimsoll.replay.format.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * The part of YAML that maps of experts are written in, read once from its beginning to its end: block mappings, lists of whole numbers
 * in brackets or as lines with a hyphen, comments, one document. What a loader would take for something else than it looks like
 * (anchors, aliases, tags, octal and base-60 numbers, duplicate keys) is refused with the byte that it begins at. For one thread.
 */
final class YamlText {
    private static final int LONGEST = 64;
    private static final int MOST_NUMBERS = 65_536;

    private final String file;
    private final byte[] bytes;
    private int at;
    /** Column of the keys of the innermost mapping that is being read. */
    private int indent = -1;

    /** Reads the value of a key, whole. */
    interface ValueReader {
        void read(String key) throws IOException;
    }

    YamlText(String file, byte[] bytes) throws FormatException {
        this.file = file;
        this.bytes = bytes;
        skipBlank();
        if (marker("---")) {
            at += 3;
            endOfLine();
        }
    }

    private int peek() {
        return at < bytes.length ? bytes[at] & 0xff : -1;
    }

    private static boolean isSpace(int c) {
        return c == ' ' || c == '\t' || c == '\r';
    }

    private static boolean endsPlain(int c) {
        return c < 0 || isSpace(c) || c == '\n' || c == ',' || c == ']' || c == '[' || c == ':' || c == '{' || c == '}';
    }

    private int column() {
        int start = at;
        while (start > 0 && bytes[start - 1] != '\n') {
            start--;
        }
        return at - start;
    }

    private boolean marker(String three) {
        return column() == 0
                && bytes.length - at >= 3
                && new String(bytes, at, 3, StandardCharsets.ISO_8859_1).equals(three);
    }

    private void skipSpaces() {
        while (isSpace(peek())) {
            at++;
        }
    }

    /** Passes over spaces, comments and ends of lines, up to what counts. */
    private void skipBlank() {
        while (true) {
            skipSpaces();
            if (peek() == '#' && (at == 0 || isSpace(bytes[at - 1]) || bytes[at - 1] == '\n')) {
                while (peek() >= 0 && peek() != '\n') {
                    at++;
                }
            }
            if (peek() != '\n') {
                return;
            }
            at++;
        }
    }

    /** Nothing but a comment may follow on this line. */
    private void endOfLine() throws FormatException {
        int before = at;
        skipSpaces();
        if (peek() >= 0 && peek() != '\n' && !(peek() == '#' && at > before)) {
            throw refuse("more follows on the line");
        }
        skipBlank();
    }

    /** Byte that the current value begins at. */
    long at() {
        skipSpaces();
        return at;
    }

    FormatException refuse(String reason) {
        return new FormatException(file, at, reason);
    }

    /** The current value is a mapping, its keys on lines of their own: reads its values, each key once. */
    void mapping(String what, ValueReader values) throws IOException {
        skipBlank();
        int outer = indent;
        int column = column();
        if (peek() < 0 || column <= outer) {
            throw refuse(what + " must be a mapping, and nothing that belongs to it follows");
        }
        indent = column;
        Set<String> seen = new HashSet<>();
        while (peek() >= 0 && column() == indent && !marker("---") && !marker("...")) {
            int begin = at;
            String key = key(what);
            if (!seen.add(key)) {
                at = begin;
                throw refuse(what + " has '" + key + "' twice");
            }
            values.read(key);
            skipBlank();
        }
        if (peek() >= 0 && column() > outer && !marker("---") && !marker("...")) {
            throw refuse("is indented by " + column() + ", the keys of " + what + " by " + indent);
        }
        indent = outer;
    }

    private String key(String what) throws FormatException {
        int quote = peek() == '"' || peek() == '\'' ? peek() : 0;
        String key = quote == 0 ? plain("a key of " + what) : quoted(quote);
        skipSpaces();
        if (peek() != ':') {
            throw refuse("a key of " + what + " must be followed by a colon");
        }
        at++;
        if (peek() >= 0 && !isSpace(peek()) && peek() != '\n') {
            throw refuse("a colon must be followed by a space");
        }
        return key;
    }

    private String quoted(int quote) throws FormatException {
        int begin = ++at;
        while (peek() >= 0 && peek() != quote && peek() != '\n' && peek() != '\\' && at - begin <= LONGEST) {
            at++;
        }
        if (peek() != quote) {
            throw refuse("a key in quotes must end on its line, without escapes, in at most " + LONGEST + " bytes");
        }
        return printable(begin, at++);
    }

    /** Up to what ends it. */
    private String plain(String what) throws FormatException {
        int first = peek();
        String special = switch (first) {
            case '&' -> "an anchor";
            case '*' -> "an alias";
            case '!' -> "a tag";
            case '[' -> "a list";
            case '{' -> "a mapping in braces";
            case '|', '>' -> "a block of text";
            case '%' -> "a directive";
            case '<' -> "a merge key";
            case '"', '\'' -> "a text in quotes";
            case '?', '@', '`' -> "a mark of YAML";
            default -> "";
        };
        if (!special.isEmpty()) {
            throw refuse(what + " is " + special + ": only keys, lists and plain whole numbers are read");
        }
        int begin = at;
        while (!endsPlain(peek()) && at - begin <= LONGEST) {
            at++;
        }
        if (at - begin > LONGEST || at == begin) {
            at = begin;
            throw refuse(what + (peek() < 0 || peek() == '\n' ? " is missing" : " is nothing that is read here"));
        }
        return printable(begin, at);
    }

    private String printable(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.UTF_8).replaceAll("[\\p{Cntrl}\uFFFD]", "?");
    }

    /** The current value is a whole number on the rest of the line. */
    long whole(String what, long least, long most) throws FormatException {
        skipSpaces();
        long number = number(what, least, most);
        endOfLine();
        return number;
    }

    /** A plain decimal number: what YAML 1.1 takes for octal, base 60 and others is refused. */
    private long number(String what, long least, long most) throws FormatException {
        int begin = at;
        String value = plain(what);
        if (!value.matches("-?(0|[1-9][0-9]{0,17})") || peek() == ':') {
            at = begin;
            throw refuse(what + " is '" + value + "': must be a plain whole number, " + least + " to " + most);
        }
        long number = Long.parseLong(value);
        if (number < least || number > most) {
            at = begin;
            throw refuse(what + " is " + number + ": must be " + least + " to " + most);
        }
        return number;
    }

    /** Numbers that have been read. */
    private static final class Numbers {
        private long[] values = new long[16];
        private int count;

        void add(long value) {
            if (count == values.length) {
                values = Arrays.copyOf(values, 2 * count);
            }
            values[count++] = value;
        }
    }

    /** The current value is a list of whole numbers, at least one. */
    long[] wholes(String what, long least, long most) throws FormatException {
        skipSpaces();
        int begin = at;
        Numbers numbers = new Numbers();
        String element = "a number of " + what;
        if (peek() == '[') {
            inBrackets(numbers, what, element, least, most);
        } else if (peek() >= 0 && peek() != '\n' && peek() != '#') {
            throw refuse(what + " must be a list, not '" + plain(what) + "'");
        } else {
            skipBlank();
            while (peek() == '-' && column() >= indent && numbers.count <= MOST_NUMBERS) {
                at++;
                if (!isSpace(peek())) {
                    throw refuse("a hyphen must be followed by a space and a number");
                }
                numbers.add(whole(element, least, most));
            }
        }
        if (numbers.count == 0 || numbers.count > MOST_NUMBERS) {
            at = begin;
            throw refuse(what + " must be a list of 1 to " + MOST_NUMBERS + " whole numbers");
        }
        return Arrays.copyOf(numbers.values, numbers.count);
    }

    private void inBrackets(Numbers numbers, String what, String element, long least, long most)
            throws FormatException {
        at++;
        skipBlank();
        while (peek() != ']' && numbers.count <= MOST_NUMBERS) {
            numbers.add(number(element, least, most));
            skipBlank();
            if (peek() == ',') {
                at++;
                skipBlank();
            } else if (peek() != ']') {
                throw refuse("numbers of " + what + " must be divided by commas and end with a bracket");
            }
        }
        if (peek() == ']') {
            at++;
            endOfLine();
        }
    }

    /** Nothing may follow. */
    void end() throws FormatException {
        skipBlank();
        if (marker("...")) {
            at += 3;
            endOfLine();
        }
        if (at < bytes.length) {
            throw refuse("more follows after the document's end");
        }
    }
}
