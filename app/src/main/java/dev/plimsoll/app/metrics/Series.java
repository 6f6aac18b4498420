package dev.plimsoll.app.metrics;

import dev.plimsoll.model.Deployment;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the listeners of one role make their meters: words of tags, bounds of their number, gauges that are set, and an end for the
 * series of deployments that have ended. Any thread.
 */
final class Series {
    private static final Logger LOG = LoggerFactory.getLogger(Series.class);

    /** More of them share one tag, {@code other}: a name in a record must not grow what every scrape has to carry. */
    static final int MOST_DEPLOYMENTS = 256;

    /** What nobody has spoken of for so long has ended, whether or not anybody said so. */
    static final Duration FORGOTTEN_AFTER = Duration.ofDays(1);

    /** Of records that name a deployment which nobody has announced. */
    static final Tags UNKNOWN = Tags.of("deployment", "unknown");

    /** Bounds for what takes milliseconds. */
    static final Duration[] SHORT = {
        Duration.ofMillis(1), Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofMillis(100), Duration.ofSeconds(1)
    };

    /** Bounds for what networks take part in. */
    static final Duration[] LATENCY = {
        Duration.ofMillis(5),
        Duration.ofMillis(20),
        Duration.ofMillis(100),
        Duration.ofMillis(500),
        Duration.ofSeconds(2),
        Duration.ofSeconds(10)
    };

    private static final String OTHERS_NAME = "other";
    private static final Tags OTHER = Tags.of("deployment", OTHERS_NAME);

    private final MeterRegistry registry;
    private final LongSupplier nanoTime;
    private final InstantSource clock;
    private final Map<Deployment, Long> tagged = new ConcurrentHashMap<>();
    private final Map<String, Held> gauges = new ConcurrentHashMap<>();
    /** All that carries a deployment's name, by the name. */
    private final Map<String, Set<Meter>> named = new ConcurrentHashMap<>();

    /** A gauge that is set; the registry holds what it asks weakly. */
    private record Held(AtomicLong bits, Gauge gauge, Tags tags) {}

    Series(MeterRegistry registry, InstantSource clock) {
        this(registry, System::nanoTime, clock);
    }

    Series(MeterRegistry registry, LongSupplier nanoTime, InstantSource clock) {
        this.registry = registry;
        this.nanoTime = nanoTime;
        this.clock = clock;
    }

    /** The deployment's own tag for the first {@value #MOST_DEPLOYMENTS} that come and have not been forgotten. */
    Tags of(Deployment deployment) {
        long now = nanoTime.getAsLong();
        // Two that come at once may both pass the bound: it is one of memory, not of arithmetic.
        if (tagged.containsKey(deployment) || tagged.size() < MOST_DEPLOYMENTS) {
            if (tagged.put(deployment, now) == null && tagged.size() == MOST_DEPLOYMENTS) {
                LOG.warn(
                        "{} deployments have metrics of their own; further ones are counted under the tag 'other' and have"
                                + " no gauges",
                        tagged.size());
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
        return listed(Counter.builder(name).description(help).tags(tags).register(registry), tags);
    }

    /** Registers the counter of every value at 0: the first event of a series that is not there is no rate. */
    <E extends Enum<E>> void zero(String name, String help, Tags tags, String tag, Class<E> values) {
        for (E value : values.getEnumConstants()) {
            counter(name, help, tags.and(tag, word(value)));
        }
    }

    Timer timer(String name, String help, Tags tags, Duration... bounds) {
        return listed(
                Timer.builder(name)
                        .description(help)
                        .tags(tags)
                        .serviceLevelObjectives(bounds)
                        .register(registry),
                tags);
    }

    DistributionSummary summary(String name, String help, Tags tags, double... bounds) {
        return listed(
                DistributionSummary.builder(name)
                        .description(help)
                        .tags(tags)
                        .serviceLevelObjectives(bounds)
                        .register(registry),
                tags);
    }

    /** A role's loop was thrown back to what is committed. */
    void resets(String role, int times) {
        counter("plimsoll.resets", "Partitions recovered after a failure.", Tags.of("role", role))
                .increment(times);
    }

    /** A role's loop leaves a partition alone. */
    void quarantined(String role, int times) {
        counter(
                        "plimsoll.partitions.quarantined",
                        "Partitions left alone after a failure that does not pass, again at each try in every minute.",
                        Tags.of("role", role))
                .increment(times);
    }

    void unreadable(String topic, int records) {
        counter("plimsoll.quarantined.records", "Records that could not be read.", Tags.of("topic", topic))
                .increment(records);
    }

    /** Sets a gauge to the time of day, in seconds: its age is for the reader to tell, even when this process is gone. */
    void now(String name, String help, Tags tags) {
        gauge(name, help, tags, clock.millis() / 1000.0);
    }

    void set(String name, String help, Tags tags, long value) {
        gauge(name, help, tags, value);
    }

    /** One gauge cannot stand for several deployments, so those beyond the bound have none; what is not told is counted. */
    void gauge(String name, String help, Tags tags, double value) {
        if (deployment(tags).equals(OTHERS_NAME)) {
            counter("plimsoll.gauges.withheld", "Values of deployments beyond the bound, which have no gauges.")
                    .increment();
            return;
        }
        gauges.computeIfAbsent(name + tags, key -> {
                    AtomicLong bits = new AtomicLong();
                    Gauge gauge = Gauge.builder(name, bits, held -> Double.longBitsToDouble(held.get()))
                            .description(help)
                            .tags(tags)
                            .register(registry);
                    return new Held(bits, gauge, tags);
                })
                .bits()
                .set(Double.doubleToLongBits(value));
    }

    /** Removes what a deployment's gauges say, for it holds no more or is told elsewhere; its counts stay for the next scrape. */
    void release(Deployment deployment) {
        removeGauges(Tags.of("deployment", deployment.id()));
    }

    /** Removes everything of a deployment and lets another have its place. */
    void forget(Deployment deployment) {
        tagged.remove(deployment);
        release(deployment);
        Set<Meter> meters = named.remove(deployment.id());
        if (meters != null) {
            meters.forEach(registry::remove);
        }
    }

    /** Removes the gauges that have all of these tags. */
    void removeGauges(Tags tags) {
        Iterator<Held> each = gauges.values().iterator();
        while (each.hasNext()) {
            Held held = each.next();
            if (tags.stream().allMatch(tag -> held.tags().stream().anyMatch(tag::equals))) {
                each.remove();
                registry.remove(held.gauge());
            }
        }
    }

    /** Removes everything of deployments that nobody has spoken of for a day, and lets others have their place. */
    void forgetEnded() {
        long now = nanoTime.getAsLong();
        tagged.forEach((deployment, lastNanos) -> {
            if (now - lastNanos > FORGOTTEN_AFTER.toNanos()) {
                forget(deployment);
            }
        });
    }

    private <M extends Meter> M listed(M meter, Tags tags) {
        String deployment = deployment(tags);
        if (!deployment.isEmpty()) {
            named.computeIfAbsent(deployment, key -> ConcurrentHashMap.newKeySet())
                    .add(meter);
        }
        return meter;
    }

    private static String deployment(Tags tags) {
        return tags.stream()
                .filter(tag -> tag.getKey().equals("deployment"))
                .map(tag -> tag.getValue())
                .findFirst()
                .orElse("");
    }
}
