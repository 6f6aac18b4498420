package dev.plimsoll.model;

/** The steps after {@code from} up to and including {@code to}. */
public record StepRange(long from, long to) {
    public StepRange {
        if (from < 0 || to <= from) {
            throw new IllegalArgumentException("steps (" + from + ", " + to + "] must not be empty or start below 0");
        }
    }

    public long length() {
        return to - from;
    }

    public boolean contains(StepRange other) {
        return from <= other.from && other.to <= to;
    }

    @Override
    public String toString() {
        return "(" + from + ", " + to + "]";
    }
}
