package dev.plimsoll.aggregator;

import dev.plimsoll.aggregator.window.WindowSettings;
import java.time.Duration;

/**
 * How the aggregator works.
 *
 * @param tickInterval silence of a deployment after which time is written into the log, while a window waits for it
 * @param bytesPerTransaction bytes of windows, about, after which a transaction is full; those that one record closed stay together
 * @param recordsPerCheckpoint records after which progress is committed even when nothing closes
 * @param checkpointInterval time after which progress is committed, if records came
 * @param quarantinesNewer whether records of a later release go to quarantine however many come; else a partition that has nothing
 *     else is left alone until an aggregator comes that can read them
 */
public record AggregatorSettings(
        WindowSettings windows,
        Duration tickInterval,
        long bytesPerTransaction,
        int recordsPerCheckpoint,
        Duration checkpointInterval,
        boolean quarantinesNewer) {
    public static final AggregatorSettings DEFAULT = new AggregatorSettings(
            WindowSettings.DEFAULT, Duration.ofSeconds(2), 16 << 20, 10_000, Duration.ofSeconds(10));

    public AggregatorSettings(
            WindowSettings windows,
            Duration tickInterval,
            long bytesPerTransaction,
            int recordsPerCheckpoint,
            Duration checkpointInterval) {
        this(windows, tickInterval, bytesPerTransaction, recordsPerCheckpoint, checkpointInterval, false);
    }

    public AggregatorSettings {
        if (tickInterval.toMillis() < 1
                || bytesPerTransaction < 1
                || recordsPerCheckpoint < 1
                || checkpointInterval.toMillis() < 1) {
            throw new IllegalArgumentException("tickInterval " + tickInterval + ", bytesPerTransaction "
                    + bytesPerTransaction + ", recordsPerCheckpoint " + recordsPerCheckpoint
                    + " and checkpointInterval "
                    + checkpointInterval + " must be positive, the intervals at least 1 ms");
        }
    }

    /** The same for whoever knows that what looks like records of a later release is none. */
    public AggregatorSettings quarantiningNewer(boolean quarantines) {
        return new AggregatorSettings(
                windows, tickInterval, bytesPerTransaction, recordsPerCheckpoint, checkpointInterval, quarantines);
    }
}
