package dev.plimsoll.model;

/** A weight container, counted over the whole deployment: rank r owns slots {@code [r·S, (r+1)·S)}. */
public record SlotId(int index) implements Comparable<SlotId> {
    public SlotId {
        if (index < 0) {
            throw new IllegalArgumentException("slot must not be negative: " + index);
        }
    }

    @Override
    public int compareTo(SlotId other) {
        return Integer.compare(index, other.index);
    }

    @Override
    public String toString() {
        return "slot " + index;
    }
}
