package dev.plimsoll.app.profile;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A table pasted from a benchmark: a line for each number of tokens, {@code tokens micros}, with blanks or a comma between; lines that
 * begin with {@code #} and empty ones are passed over. The file's name stands for the device.
 */
final class ProfileLines {
    private static final Pattern LINE =
            Pattern.compile("(\\d{1,9})(?:\\s*,\\s*|\\s+)(\\d+\\.?\\d*(?:[eE][-+]?\\d{1,3})?)");

    private ProfileLines() {}

    static ProfileFile read(String file, String text) {
        List<String> where = new ArrayList<>();
        List<Integer> tokens = new ArrayList<>();
        List<Double> micros = new ArrayList<>();
        int number = 0;
        for (String line : text.split("\\R", -1)) {
            number++;
            String entry = line.strip();
            if (entry.isEmpty() || entry.startsWith("#")) {
                continue;
            }
            String here = file + ": line " + number;
            Matcher matcher = LINE.matcher(entry);
            if (!matcher.matches()) {
                throw new IllegalArgumentException(here + " is '" + shortened(entry)
                        + "'; expected tokens and microseconds, such as '16 3.9', or a JSON object as the whole file");
            }
            if (tokens.size() == ProfileFile.MOST_ENTRIES) {
                throw new IllegalArgumentException(here + ": more than " + ProfileFile.MOST_ENTRIES + " entries");
            }
            int n = Integer.parseInt(matcher.group(1));
            double time = Double.parseDouble(matcher.group(2));
            ProfileFile.check(here, n, time);
            where.add(here);
            tokens.add(n);
            micros.add(time);
        }
        return ProfileFile.of(file, where, tokens, micros, nameOf(file), "any", "any", Optional.empty(), 0);
    }

    private static String shortened(String text) {
        String plain = text.replaceAll("\\p{Cntrl}", "?");
        return plain.length() > 60 ? plain.substring(0, 60) + "…" : plain;
    }

    /** The file's name without directories and ending. */
    private static String nameOf(String file) {
        String name = file.substring(file.lastIndexOf('/') + 1);
        int dot = name.lastIndexOf('.');
        String stem = dot > 0 ? name.substring(0, dot) : name;
        return stem.isBlank() ? "file" : stem;
    }
}
