package dev.plimsoll.model;

/** One of the experts of a layer among which the router chooses, counted from 0. */
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
