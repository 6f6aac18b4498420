package dev.plimsoll.app.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Lines that fit a terminal. Colours take no room; what is written here is one column wide per character. */
final class Folding {
    private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*m");
    private static final String INDENT = " ".repeat(10);

    private Folding() {}

    /** Columns that a line takes. */
    static int columns(String line) {
        return COLOUR.matcher(line).replaceAll("").length();
    }

    /** The line, or what fits of it, without colours, and a sign that there was more. */
    static String cut(String line, int width) {
        if (columns(line) <= width) {
            return line;
        }
        return COLOUR.matcher(line).replaceAll("").substring(0, Math.max(0, width - 1)) + "…";
    }

    /** The line in as many as it takes, broken at blanks; those after the first stand below what the first one tells. */
    static List<String> fold(String line, int width) {
        if (columns(line) <= width) {
            return List.of(line);
        }
        List<String> lines = new ArrayList<>();
        StringBuilder current = new StringBuilder();
        for (String word : line.split("(?<= )(?=[^ ])")) {
            if (columns(current + word.stripTrailing()) > width
                    && !current.toString().isBlank()) {
                lines.add(current.toString().stripTrailing());
                current.setLength(0);
                current.append(INDENT);
            }
            current.append(word);
        }
        lines.add(current.toString().stripTrailing());
        return lines;
    }
}
