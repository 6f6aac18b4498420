package dev.plimsoll.app.metrics;

import dev.plimsoll.wire.kafka.ClientListener;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.kafka.KafkaClientMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/**
 * Kafka's own metrics of a role's clients, from when they open to when they close, and how far its loop is behind.
 *
 * <p>The one class outside of {@code wire.kafka} that names Kafka's clients: Micrometer's binder wants them.
 */
final class KafkaMeters implements ClientListener {
    private static final String RECORDS = "plimsoll.behind.records";
    private static final String SECONDS = "plimsoll.behind.seconds";

    /** A client has more than a hundred, most of them derived of others: what tells trouble is kept. */
    private static final Set<String> KEPT = Set.of(
            "kafka.consumer.fetch.manager.records.lag",
            "kafka.consumer.fetch.manager.records.lag.max",
            "kafka.consumer.fetch.manager.records.consumed.total",
            "kafka.consumer.fetch.manager.bytes.consumed.total",
            "kafka.consumer.fetch.manager.fetch.latency.avg",
            "kafka.consumer.fetch.manager.fetch.throttle.time.max",
            "kafka.consumer.coordinator.rebalance.total",
            "kafka.consumer.coordinator.failed.rebalance.total",
            "kafka.consumer.coordinator.last.heartbeat.seconds.ago",
            "kafka.consumer.connection.count",
            "kafka.consumer.failed.authentication.total",
            "kafka.consumer.last.poll.seconds.ago",
            "kafka.producer.record.send.total",
            "kafka.producer.record.error.total",
            "kafka.producer.record.retry.total",
            "kafka.producer.request.latency.avg",
            "kafka.producer.produce.throttle.time.max",
            "kafka.producer.buffer.available.bytes",
            "kafka.producer.buffer.exhausted.total",
            "kafka.producer.connection.count",
            "kafka.producer.failed.authentication.total",
            "kafka.producer.txn.commit.time.ns.total");

    private final PrometheusMeterRegistry registry;
    private final Series series;
    private final String role;
    private final ScheduledExecutorService refresher;
    private final Map<AutoCloseable, KafkaClientMetrics> bound = new ConcurrentHashMap<>();

    KafkaMeters(PrometheusMeterRegistry registry, String role, ScheduledExecutorService refresher) {
        this.registry = registry;
        this.series = new Series(registry, InstantSource.system());
        this.role = role;
        this.refresher = refresher;
    }

    /** Lets of Kafka's metrics only those pass that are of use. */
    static MeterFilter kept() {
        return MeterFilter.deny(id -> id.getName().startsWith("kafka.") && !KEPT.contains(id.getName()));
    }

    @Override
    public void onOpened(Consumer<?, ?> client) {
        bind(client, new KafkaClientMetrics(client, Tags.of("role", role), refresher));
    }

    @Override
    public void onOpened(Producer<?, ?> client) {
        bind(client, new KafkaClientMetrics(client, Tags.of("role", role), refresher));
    }

    private void bind(AutoCloseable client, KafkaClientMetrics metrics) {
        metrics.bindTo(registry);
        bound.put(client, metrics);
    }

    @Override
    public void onClosing(AutoCloseable client) {
        KafkaClientMetrics metrics = bound.remove(client);
        if (metrics != null) {
            metrics.close();
        }
    }

    @Override
    public void onBehind(String topic, int partition, long records, OptionalDouble seconds) {
        Tags tags = tags(topic, partition);
        series.set(
                RECORDS,
                "Records of the role's input that it has not read, up to the last committed one.",
                tags,
                records);
        seconds.ifPresent(age -> series.gauge(
                SECONDS,
                "Age of the last record of the role's input that it has read; 0 when it has read all.",
                tags,
                age));
    }

    @Override
    public void onReleased(String topic, int partition) {
        series.removeGauges(tags(topic, partition));
    }

    private Tags tags(String topic, int partition) {
        return Tags.of("role", role, "topic", topic, "partition", Integer.toString(partition));
    }
}
