package dev.plimsoll.model;

import java.util.Locale;

/**
 * What moving weights takes in a deployment.
 *
 * @param bytesPerSecond that come to one rank
 * @param flipNanos what the flip of a batch takes on the slowest rank's dispatch thread
 * @param batches flipped batches that this rests on; 0 where both are assumed
 */
public record TransferCosts(double bytesPerSecond, double flipNanos, int batches) {
    public TransferCosts {
        if (!(bytesPerSecond > 0) || !(flipNanos >= 0) || batches < 0) {
            throw new IllegalArgumentException("transfers at " + bytesPerSecond + " bytes/s and flips of " + flipNanos
                    + " ns, by " + batches + " batches");
        }
    }

    /** Whether nothing has been measured yet. */
    public boolean assumed() {
        return batches == 0;
    }

    /** For people. */
    public String summary() {
        return String.format(
                Locale.ROOT,
                "transfers %.2f GB/s, a flip %.3f ms: %s",
                bytesPerSecond / 1e9,
                flipNanos / 1e6,
                assumed() ? "assumed" : batches + " batches");
    }
}
