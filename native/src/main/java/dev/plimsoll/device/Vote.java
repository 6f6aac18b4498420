package dev.plimsoll.device;

/**
 * What one rank says in every gather: the state its heat was measured under and what it is willing to do next.
 * 32 bytes on the device.
 *
 * @param incarnation life of the deployment
 * @param settledVersion version of the settled placement
 * @param batchesFlipped batches of {@code epoch} that this rank has flipped
 * @param epoch the decision in flight, 0 when none
 * @param batch the batch that the level speaks of, 1-based; 0 when none
 * @param level 0 nothing, 1 willing, 2 ready
 * @param planHash hash of the plan of {@code epoch}, 0 when none
 */
public record Vote(
        long incarnation, int settledVersion, int batchesFlipped, int epoch, int batch, int level, long planHash) {
    public Vote {
        if (settledVersion < 0 || batchesFlipped < 0 || batchesFlipped > 0xffff || epoch < 0) {
            throw new IllegalArgumentException("vote out of range: settledVersion=" + settledVersion
                    + " batchesFlipped=" + batchesFlipped + " epoch=" + epoch);
        }
        if (batch < 0 || batch > 0xffff || level < 0 || level > 2) {
            throw new IllegalArgumentException("vote out of range: batch=" + batch + " level=" + level);
        }
    }

    /** The vote of a rank with no decision in flight. */
    public static Vote none(long incarnation, int settledVersion) {
        return new Vote(incarnation, settledVersion, 0, 0, 0, 0, 0);
    }
}
