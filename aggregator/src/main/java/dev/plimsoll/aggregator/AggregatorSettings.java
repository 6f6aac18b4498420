package dev.plimsoll.aggregator;

import dev.plimsoll.aggregator.window.WindowSettings;
import java.time.Duration;

/**
 * How the aggregator works.
 *
 * @param tickInterval silence of a deployment after which time is written into the log, while a window waits for it
 * @param windowsPerTransaction windows after which a transaction is full; those that one record closed stay together
 * @param recordsPerCheckpoint records after which progress is committed even when nothing closes
 */
public record AggregatorSettings(
        WindowSettings windows, Duration tickInterval, int windowsPerTransaction, int recordsPerCheckpoint) {
    public static final AggregatorSettings DEFAULT =
            new AggregatorSettings(WindowSettings.DEFAULT, Duration.ofSeconds(2), 16, 10_000);

    public AggregatorSettings {
        if (tickInterval.toMillis() < 1 || windowsPerTransaction < 1 || recordsPerCheckpoint < 1) {
            throw new IllegalArgumentException("tickInterval " + tickInterval + ", windowsPerTransaction "
                    + windowsPerTransaction + " and recordsPerCheckpoint " + recordsPerCheckpoint
                    + " must be positive, the interval at least 1 ms");
        }
    }
}
