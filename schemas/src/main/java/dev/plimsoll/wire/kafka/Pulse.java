package dev.plimsoll.wire.kafka;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/**
 * Whether the cluster answers one client. An empty poll says nothing, for it ends in time and without a word whether there is no
 * record or no broker; but a client counts the answers that it gets.
 *
 * <p>The client's thread looks more often than once a second. Silence is summed up over looks, so that a thread that was held up
 * does not take its own absence for the cluster's. What came of single requests is told by any thread.
 */
final class Pulse {
    static final Duration SILENT = Duration.ofSeconds(5);
    private static final long LONGEST_LOOK_NANOS = Duration.ofSeconds(1).toNanos();

    private final String client;
    private final ClientListener listener;
    private final LongSupplier nanoTime;
    private Supplier<Map<MetricName, ? extends Metric>> metrics = Map::of;
    private @Nullable Metric answers;
    private double count;
    private long lastLookNanos;
    private long silentNanos;
    private boolean failing;

    Pulse(String client, ClientListener listener) {
        this(client, listener, System::nanoTime);
    }

    Pulse(String client, ClientListener listener, LongSupplier nanoTime) {
        this.client = client;
        this.listener = listener;
        this.nanoTime = nanoTime;
        lastLookNanos = nanoTime.getAsLong();
    }

    /** Begins with a client, or goes on with the one that has replaced it. */
    synchronized void of(Supplier<Map<MetricName, ? extends Metric>> ofClient) {
        metrics = ofClient;
        answers = null;
        count = 0;
    }

    /** @param waits whether the client has asked for something, so that an answer can be expected */
    synchronized void look(boolean waits) {
        long now = nanoTime.getAsLong();
        long passed = Math.min(LONGEST_LOOK_NANOS, now - lastLookNanos);
        lastLookNanos = now;
        double counted = answers();
        if (counted > count) {
            count = counted;
            // What was asked has failed and is asked again: that other questions are answered does not mend it.
            if (!failing || !waits) {
                answered();
            }
        } else if (!waits) {
            silentNanos = 0;
        } else {
            silentNanos += passed;
            if (silentNanos > SILENT.toNanos()) {
                silent("no answer for " + SILENT.toSeconds() + " s");
            }
        }
    }

    /** What was asked for has come. */
    synchronized void answered() {
        silentNanos = 0;
        failing = false;
        listener.onAnswer(client);
    }

    /**
     * What was asked for has not come, and is worth asking again.
     *
     * @return whether people are told of it by the listener
     */
    synchronized boolean failed(RetriableException why) {
        failing = true;
        return silent(KafkaFailure.describe(why));
    }

    void close() {
        listener.onGone(client);
    }

    private boolean silent(String why) {
        return listener.onSilence(client, Instant.now().minusNanos(silentNanos), client + ": " + why);
    }

    /** Of all nodes together; the metric comes with the client. */
    private double answers() {
        Metric metric = answers;
        if (metric == null) {
            metric = metrics.get().entrySet().stream()
                    .filter(entry -> entry.getKey().name().equals("response-total")
                            && entry.getKey().tags().keySet().equals(Set.of("client-id")))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse(null);
            answers = metric;
        }
        return metric != null && metric.metricValue() instanceof Number number ? number.doubleValue() : 0;
    }
}
