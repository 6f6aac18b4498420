package dev.plimsoll.model;

/** A logical expert, what the router picks: 0..E-1. */
public record ExpertId(int index) implements Comparable<ExpertId> {
    public ExpertId {
        if (index < 0) {
            throw new IllegalArgumentException("expert must not be negative: " + index);
        }
    }

    @Override
    public int compareTo(ExpertId other) {
        return Integer.compare(index, other.index);
    }

    @Override
    public String toString() {
        return "expert " + index;
    }
}
