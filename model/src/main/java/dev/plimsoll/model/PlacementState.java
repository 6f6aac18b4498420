package dev.plimsoll.model;

/**
 * Which placement a rank serves: the settled version, and how far a decision in flight has been flipped. It tells the version
 * of every layer.
 *
 * @param settledVersion version of the settled placement
 * @param epoch the decision in flight, 0 when none
 * @param batchesFlipped batches of {@code epoch} flipped
 */
public record PlacementState(int settledVersion, int epoch, int batchesFlipped) {
    public PlacementState {
        if (settledVersion < 0 || epoch < 0 || batchesFlipped < 0) {
            throw new IllegalArgumentException(
                    "state out of range: v" + settledVersion + " epoch " + epoch + " batches " + batchesFlipped);
        }
        if (epoch == 0 && batchesFlipped > 0) {
            throw new IllegalArgumentException(batchesFlipped + " batches flipped of no epoch");
        }
    }

    public static PlacementState settled(int version) {
        return new PlacementState(version, 0, 0);
    }

    /** Such as {@code v3} or {@code v3+4.2}: version 3 with two batches of epoch 4. */
    @Override
    public String toString() {
        return epoch == 0 ? "v" + settledVersion : "v" + settledVersion + "+" + epoch + "." + batchesFlipped;
    }
}
