package dev.plimsoll.replay.topics;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.replay.export.History;
import dev.plimsoll.replay.export.Stretch;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.DeploymentLog;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicReader;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * A deployment's history out of its topics: only what is committed, up to the ends as they are when each is opened, without a group. One
 * thread.
 */
public final class TopicHistory implements History {
    private final KafkaSettings settings;
    private final Deployment deployment;
    private final long nowMillis;
    private final Duration timeout;
    private final Consumer<Quarantined> unreadable;
    private final Runnable reading;

    /**
     * @param nowMillis tells incarnations that are numbered by the clock from others
     * @param timeout longest that Kafka may let us wait for the next record
     * @param unreadable told of records that cannot be decoded and are left out
     * @param reading run before every record; what it throws ends the reading
     */
    public TopicHistory(
            KafkaSettings settings,
            Deployment deployment,
            long nowMillis,
            Duration timeout,
            Consumer<Quarantined> unreadable,
            Runnable reading) {
        this.settings = settings;
        this.deployment = deployment;
        this.nowMillis = nowMillis;
        this.timeout = timeout;
        this.unreadable = unreadable;
        this.reading = reading;
    }

    private <T> DeploymentLog<T> open(Topic<T> topic, OptionalLong sinceMillis) {
        return DeploymentLog.open(settings, topic, deployment, sinceMillis, timeout, unreadable);
    }

    @Override
    public <T> Log<T> read(Topic<T> topic, Stretch stretch) {
        return new TopicLog<>(open(topic, stretch.fromMillis()), stretch, reading);
    }

    @Override
    public <T> Log<T> readFrom(Topic<T> topic, long incarnation) {
        return new TopicLog<>(open(topic, begin(incarnation)), Stretch.ALL, reading);
    }

    private OptionalLong begin(long incarnation) {
        return TopicReader.Start.ofIncarnation(incarnation, nowMillis) instanceof TopicReader.Start.Since since
                ? OptionalLong.of(since.timestampMillis())
                : OptionalLong.empty();
    }

    /** The newest stands in a topic of its own; of those before, the samples tell for as long as they are kept. */
    @Override
    public Optional<Membership> members(long incarnation) {
        Optional<Membership> newest = Optional.empty();
        try (DeploymentLog<Membership> log = open(Topic.MEMBERS, OptionalLong.empty())) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                if (next.orElseThrow().value().incarnation() == incarnation) {
                    newest = next.map(Received::value);
                }
            }
        }
        return newest.isPresent() ? newest : earlierMembers(incarnation);
    }

    private Optional<Membership> earlierMembers(long incarnation) {
        try (DeploymentLog<SampleRecord> log = open(Topic.SAMPLES, begin(incarnation))) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                reading.run();
                SampleRecord record = next.orElseThrow().value();
                if (record instanceof Membership members && members.incarnation() == incarnation) {
                    return Optional.of(members);
                }
                // It stands before the first sample of its incarnation, or not at all.
                if (record instanceof LoadSample sample && sample.incarnation() >= incarnation) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    private record TopicLog<T>(DeploymentLog<T> log, Stretch stretch, Runnable reading) implements Log<T> {
        @Override
        public Optional<Dated<T>> next() {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                reading.run();
                Received<T> record = next.orElseThrow();
                if (stretch.contains(record.timestampMillis())) {
                    return Optional.of(new Dated<>(record.timestampMillis(), record.value()));
                }
            }
            return Optional.empty();
        }

        @Override
        public void close() {
            log.close();
        }
    }
}
