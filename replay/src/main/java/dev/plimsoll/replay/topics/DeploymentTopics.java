package dev.plimsoll.replay.topics;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.replay.export.DeploymentRecords;
import dev.plimsoll.replay.export.TimeRange;
import dev.plimsoll.replay.source.Span;
import dev.plimsoll.replay.source.SpanMillis;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.OffsetRange;
import dev.plimsoll.wire.kafka.PastRecords;
import dev.plimsoll.wire.kafka.Received;
import dev.plimsoll.wire.kafka.TopicReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * A deployment's history out of its topics, of all its incarnations: only what is committed, up to the ends as they are when a
 * topic is read for the first time, without a group. One thread; close it.
 */
public final class DeploymentTopics implements DeploymentRecords, AutoCloseable {
    private final PastRecords records;
    private final TimeRange times;
    private final Map<Topic<?>, OffsetRange> whole = new HashMap<>();
    private final long nowMillis;
    private final Consumer<Quarantined> unreadable;
    private final Runnable reading;

    private DeploymentTopics(
            PastRecords records, TimeRange times, long nowMillis, Consumer<Quarantined> unreadable, Runnable reading) {
        this.records = records;
        this.times = times;
        this.nowMillis = nowMillis;
        this.unreadable = unreadable;
        this.reading = reading;
    }

    /**
     * Finds the times that the span means.
     *
     * @param nowMillis tells incarnations that are numbered by the clock from others
     * @param timeout longest that Kafka may let us wait for the next record
     * @param unreadable told of records that cannot be decoded and are left out
     * @param reading run before every record; what it throws ends the reading
     */
    public static DeploymentTopics open(
            KafkaSettings settings,
            Deployment deployment,
            Span wanted,
            long nowMillis,
            Duration timeout,
            Consumer<Quarantined> unreadable,
            Runnable reading) {
        PastRecords records = new PastRecords(settings, deployment, timeout);
        try {
            SpanMillis span = SpanMillis.of(records, wanted);
            return new DeploymentTopics(records, new TimeRange(span.from(), span.to()), nowMillis, unreadable, reading);
        } catch (RuntimeException e) {
            records.close();
            throw e;
        }
    }

    /** The times that the span means. */
    public TimeRange times() {
        return times;
    }

    @Override
    public <T> Log<T> read(Topic<T> topic, TimeRange times) {
        return log(topic, since(topic, times.fromMillis()), times);
    }

    @Override
    public <T> Log<T> readFrom(Topic<T> topic, long incarnation) {
        return log(topic, since(topic, begin(incarnation)), TimeRange.ALL);
    }

    private <T> Log<T> log(Topic<T> topic, OffsetRange range, TimeRange times) {
        return new TopicLog<>(records.read(topic, range, unreadable), times, reading);
    }

    /**
     * Cut at its beginning only. Where a time ends cannot be asked for: the marks that end transactions have the time at which they were
     * written, and stand among windows that are older when an aggregator catches up.
     */
    private OffsetRange since(Topic<?> topic, OptionalLong millis) {
        OffsetRange range = whole.computeIfAbsent(topic, records::whole);
        return millis.isEmpty() ? range : range.since(records.offsetAt(range, millis.getAsLong()));
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
        try (Log<Membership> log = read(Topic.MEMBERS, TimeRange.ALL)) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
                if (next.orElseThrow().value().incarnation() == incarnation) {
                    newest = next.map(Dated::value);
                }
            }
        }
        return newest.isPresent() ? newest : earlierMembers(incarnation);
    }

    private Optional<Membership> earlierMembers(long incarnation) {
        try (Log<SampleRecord> log = readFrom(Topic.SAMPLES, incarnation)) {
            for (var next = log.next(); next.isPresent(); next = log.next()) {
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

    @Override
    public void close() {
        records.close();
    }

    private record TopicLog<T>(PastRecords.Reading<T> records, TimeRange times, Runnable reading) implements Log<T> {
        @Override
        public Optional<Dated<T>> next() {
            for (var next = records.next(); next.isPresent(); next = records.next()) {
                reading.run();
                Received<T> record = next.orElseThrow();
                if (times.contains(record.timestampMillis())) {
                    return Optional.of(new Dated<>(record.timestampMillis(), record.value()));
                }
            }
            return Optional.empty();
        }

        @Override
        public void close() {
            records.close();
        }
    }
}
