package dev.plimsoll.wire.kafka;

import java.time.Duration;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.Metric;
import org.jspecify.annotations.Nullable;

/**
 * Whether a consumer is in touch with its group. Its client sends heartbeats only once it has joined and only to a coordinator
 * that answers, and tells by a metric how long ago the last one was: an empty poll says neither.
 */
final class Heartbeats {
    private static final String METRIC = "last-heartbeat-seconds-ago";
    private static final Duration SILENT = Duration.ofSeconds(10);

    private volatile @Nullable Metric lastSecondsAgo;

    /** Looks for the metric until it is there, as one protocol makes it with the consumer and the other later. */
    void of(Consumer<?, ?> consumer) {
        if (lastSecondsAgo == null) {
            consumer.metrics().values().stream()
                    .filter(metric -> metric.metricName().name().equals(METRIC))
                    .findFirst()
                    .ifPresent(found -> lastSecondsAgo = found);
        }
    }

    /** Whether one was sent within the last 10 s; may be asked by any thread. */
    boolean recent() {
        Metric metric = lastSecondsAgo;
        if (metric == null || !(metric.metricValue() instanceof Number seconds)) {
            return false;
        }
        // Negative before the first.
        return seconds.doubleValue() >= 0 && seconds.doubleValue() < SILENT.toSeconds();
    }
}
