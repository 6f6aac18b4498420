package dev.plimsoll.model;

import java.util.regex.Pattern;

/**
 * One expert-parallel group serving one model, such as {@code r1/decode-0}: the key of every record, and so what decides the
 * partition in every topic.
 */
public record Deployment(String id) implements Comparable<Deployment> {
    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]{0,199}");

    public Deployment {
        if (!VALID.matcher(id).matches()) {
            throw new IllegalArgumentException("deployment '" + id.replaceAll("\\p{Cntrl}", "?")
                    + "' must be 1 to 200 letters, digits, '.', '_', '/', '-', starting with a letter or digit");
        }
    }

    @Override
    public int compareTo(Deployment other) {
        return id.compareTo(other.id);
    }

    @Override
    public String toString() {
        return id;
    }
}
