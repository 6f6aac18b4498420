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
 */
public record AggregatorSettings(
        WindowSettings windows,
        Duration tickInterval,
        long bytesPerTransaction,
        int recordsPerCheckpoint,
        Duration checkpointInterval) {
    public static final AggregatorSettings DEFAULT = new AggregatorSettings(
            WindowSettings.DEFAULT, Duration.ofSeconds(2), 16 << 20, 10_000, Duration.ofSeconds(10));

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
}
