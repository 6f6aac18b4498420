package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.wire.Topic;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Publishes what a replay made: windows, summaries, decisions and outcomes as the services would have written them, dated by what was
 * replayed, each with the header {@value #HEADER}, in topics that nobody but readers of that run looks at. Writes block while the broker is
 * behind; what failed is thrown by the next call. One thread.
 */
public final class RunWriter implements AutoCloseable {
    /** Its value is the run's name. */
    public static final String HEADER = "run-id";

    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    /** Nobody waits for a single record, so a broker that is busy may take its time. */
    private static final Duration DELIVERY = Duration.ofMinutes(2);

    /** Less than a producer holds, so that it never has to refuse. */
    private static final long MOST_UNDER_WAY = 4 << 20;

    private final String run;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Map<String, Integer> partitions = new HashMap<>();
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    private long records;
    private long underWay;

    private RunWriter(KafkaSettings settings, String run) {
        this.run = run;
        Map<String, Object> properties = new HashMap<>(ClientProperties.idempotent(
                settings, "plimsoll-replay-" + run, DELIVERY, TopicWriter.Compression.FOR_EVERYBODY));
        // One request at a time, as the topics are new: a leader that was not ready for the first batch has nothing to
        // compare the
        // second one's sequence with and takes it, and from then on refuses the first one as out of order.
        properties.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        this.producer = Clients.producer(settings, properties);
    }

    /**
     * Makes the run's topics and opens a producer.
     *
     * @throws IllegalArgumentException when it is no name of a run
     * @throws IllegalStateException when the run was published already
     */
    public static RunWriter create(KafkaSettings settings, String run) {
        try (RunTopics topics = new RunTopics(settings, TIMEOUT)) {
            topics.create(run);
        }
        return new RunWriter(settings, run);
    }

    /** A window, as it would have been under the run's placements. */
    public void window(List<LoadWindow> rows, WindowSummary summary) {
        rows.forEach(row -> write(Topic.WINDOWS, row.deployment(), row, summary.closedAtMillis()));
        write(Topic.WINDOW_SUMMARIES, summary.deployment(), summary, summary.closedAtMillis());
    }

    /** @param atMillis when it would have been written */
    public void decision(PlanCommand command, long atMillis) {
        write(Topic.PLAN, command.header().deployment(), command, atMillis);
    }

    /** @param atMillis when it would have been written */
    public void outcome(Outcome outcome, long atMillis) {
        write(Topic.OUTCOMES, outcome.deployment(), outcome, atMillis);
    }

    /** How many records were written. */
    public long records() {
        return records;
    }

    private <T> void write(Topic<T> kind, Deployment deployment, T value, long atMillis) {
        check();
        String topic = RunTopics.name(run, kind);
        int count = partitions.computeIfAbsent(topic, this::count);
        ProducerRecord<byte[], byte[]> record = Records.encode(Output.at(kind, deployment, value, atMillis), count);
        ProducerRecord<byte[], byte[]> ofRun = new ProducerRecord<>(
                topic, record.partition(), record.timestamp(), record.key(), record.value(), record.headers());
        ofRun.headers().add(HEADER, run.getBytes(StandardCharsets.UTF_8));
        var unused = producer.send(ofRun, (metadata, failed) -> {
            if (failed != null) {
                failure.compareAndSet(null, failed);
            }
        });
        records++;
        underWay += record.value().length;
        if (underWay > MOST_UNDER_WAY) {
            underWay = 0;
            producer.flush();
            check();
        }
    }

    /** Not every broker knows a new topic at once. */
    private int count(String topic) {
        long deadlineNanos = System.nanoTime() + TIMEOUT.toNanos();
        while (true) {
            try {
                return producer.partitionsFor(topic).size();
            } catch (TimeoutException e) {
                if (System.nanoTime() > deadlineNanos) {
                    throw e;
                }
            }
        }
    }

    private void check() {
        Exception failed = failure.get();
        if (failed != null) {
            throw new KafkaException("run " + run + " is not published whole: " + failed.getMessage(), failed);
        }
    }

    /** Waits until the broker has all of it; throws when it has not. */
    @Override
    public void close() {
        try {
            producer.flush();
            check();
        } finally {
            producer.close(Duration.ofSeconds(3));
        }
    }
}
