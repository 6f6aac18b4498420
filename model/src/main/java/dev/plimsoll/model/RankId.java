package dev.plimsoll.model;

/** One device of a deployment's expert-parallel group: 0..R-1. */
public record RankId(int index) implements Comparable<RankId> {
    public RankId {
        if (index < 0) {
            throw new IllegalArgumentException("rank must not be negative: " + index);
        }
    }

    @Override
    public int compareTo(RankId other) {
        return Integer.compare(index, other.index);
    }

    @Override
    public String toString() {
        return "rank " + index;
    }
}
