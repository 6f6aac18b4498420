package dev.plimsoll.app.metrics;

import dev.plimsoll.model.Deployment;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How the listeners of all roles make their meters: words of tags, bounds of their number, gauges that are set. Any thread. */
final class Series {
    private static final Logger LOG = LoggerFactory.getLogger(Series.class);

    /** More of them share one tag, {@code other}: a name in a record must not grow what every scrape has to carry. */
    static final int MOST_DEPLOYMENTS = 256;

    /** Of records that name a deployment which nobody has announced. */
    static final Tags UNKNOWN = Tags.of("deployment", "unknown");

    /** Bounds for what takes milliseconds. */
    static final Duration[] SHORT = {
        Duration.ofMillis(1), Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofMillis(100), Duration.ofSeconds(1)
    };

    private static final Tags OTHER = Tags.of("deployment", "other");

    private final MeterRegistry registry;
    private final Set<Deployment> tagged = ConcurrentHashMap.newKeySet();
    private final Map<String, AtomicLong> longGauges = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> doubleGauges = new ConcurrentHashMap<>();

    Series(MeterRegistry registry) {
        this.registry = registry;
    }

    /** The deployment's own tag for the first {@value #MOST_DEPLOYMENTS} that come. */
    Tags of(Deployment deployment) {
        // Two that come at once may both pass the bound: it is one of memory, not of arithmetic.
        if (tagged.contains(deployment) || tagged.size() < MOST_DEPLOYMENTS) {
            if (tagged.add(deployment) && tagged.size() == MOST_DEPLOYMENTS) {
                LOG.warn("{} deployments have metrics of their own; further ones share the tag 'other'", tagged.size());
            }
            return Tags.of("deployment", deployment.id());
        }
        return OTHER;
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    Counter counter(String name, String help) {
        return counter(name, help, Tags.empty());
    }

    Counter counter(String name, String help, Tags tags) {
        return Counter.builder(name).description(help).tags(tags).register(registry);
    }

    /** Registers the counter of every value at 0: the first event of a series that is not there is no rate. */
    <E extends Enum<E>> void zero(String name, String help, Tags tags, String tag, Class<E> values) {
        for (E value : values.getEnumConstants()) {
            counter(name, help, tags.and(tag, word(value)));
        }
    }

    Timer timer(String name, String help, Tags tags, Duration... bounds) {
        return Timer.builder(name)
                .description(help)
                .tags(tags)
                .serviceLevelObjectives(bounds)
                .register(registry);
    }

    DistributionSummary summary(String name, String help, Tags tags, double... bounds) {
        return DistributionSummary.builder(name)
                .description(help)
                .tags(tags)
                .serviceLevelObjectives(bounds)
                .register(registry);
    }

    /** A role's loop was thrown back to what is committed. */
    void resets(String role, int times) {
        counter("plimsoll.resets", "Partitions recovered after a failure.", Tags.of("role", role))
                .increment(times);
    }

    void unreadable(String topic) {
        counter("plimsoll.quarantined.records", "Records that could not be read.", Tags.of("topic", topic))
                .increment();
    }

    /** Sets a gauge to the time of day, in seconds: its age is for the reader to tell, even when this process is gone. */
    void now(String name, String help, Tags tags) {
        gauge(name, help, tags, System.currentTimeMillis() / 1000.0);
    }

    void set(String name, String help, Tags tags, long value) {
        longGauges
                .computeIfAbsent(name + tags, key -> {
                    AtomicLong held = new AtomicLong();
                    Gauge.builder(name, held, AtomicLong::get)
                            .description(help)
                            .tags(tags)
                            .register(registry);
                    return held;
                })
                .set(value);
    }

    void gauge(String name, String help, Tags tags, double value) {
        doubleGauges
                .computeIfAbsent(name + tags, key -> {
                    AtomicLong bits = new AtomicLong();
                    Gauge.builder(name, bits, held -> Double.longBitsToDouble(held.get()))
                            .description(help)
                            .tags(tags)
                            .register(registry);
                    return bits;
                })
                .set(Double.doubleToLongBits(value));
    }
}
