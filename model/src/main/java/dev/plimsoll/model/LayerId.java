package dev.plimsoll.model;

/** A mixture-of-experts layer, counted over such layers only: 0..L-1; {@link ModelShape#layerIds()} has the model's own numbers. */
public record LayerId(int index) implements Comparable<LayerId> {
    public LayerId {
        if (index < 0) {
            throw new IllegalArgumentException("layer must not be negative: " + index);
        }
    }

    @Override
    public int compareTo(LayerId other) {
        return Integer.compare(index, other.index);
    }

    @Override
    public String toString() {
        return "layer " + index;
    }
}
