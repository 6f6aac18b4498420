package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import dev.plimsoll.wire.kafka.TopicReader.PartitionBatch;
import dev.plimsoll.wire.kafka.TopicReader.PartitionStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * The thread of one subscription of {@link TopicReader}: owns the consumer, is told of demand and of the end by others.
 *
 * <p>Before each poll a partition is paused exactly if it has no credit, so no resumption can be lost. A credit that comes while
 * poll sleeps wakes it up; a wakeup that comes late makes the next poll throw once, before it takes any record.
 */
final class ReadingThread<T> extends Thread {
    private static final Logger LOG = LoggerFactory.getLogger(ReadingThread.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final AtomicLong READERS = new AtomicLong();

    private final KafkaSettings settings;
    private final Topic<T> topic;
    private final Optional<Deployment> only;
    private final TopicReader.Start start;
    private final Consumer<Quarantined> unreadable;
    private final FluxSink<PartitionStream<T>> outer;
    private final KafkaConsumer<byte[], ByteBuffer> consumer;
    private final Map<TopicPartition, Lane<T>> lanes =
            new TreeMap<>((a, b) -> Integer.compare(a.partition(), b.partition()));
    private final Backoff backoff = new Backoff(LoopClock.SYSTEM);
    private final Pulse pulse;
    private boolean warned;
    /** What is to be passed over still. */
    private Optional<TopicReader.Start.At> passing = Optional.empty();

    private final Object pollLock = new Object();
    private boolean inPoll;
    private final CountDownLatch stop = new CountDownLatch(1);

    /** @param only the deployment whose records are wanted; empty for all */
    ReadingThread(
            KafkaSettings settings,
            Topic<T> topic,
            Optional<Deployment> only,
            TopicReader.Start start,
            Consumer<Quarantined> unreadable,
            FluxSink<PartitionStream<T>> outer) {
        super("plimsoll-read-" + topic.name());
        setDaemon(true);
        if (start instanceof TopicReader.Start.At && only.isEmpty()) {
            throw new IllegalArgumentException("offsets are of one partition, and so of one deployment");
        }
        this.settings = settings;
        this.topic = topic;
        this.only = only;
        this.start = start;
        this.unreadable = unreadable;
        this.outer = outer;
        this.consumer = Clients.consumer(
                settings, ClientProperties.reader(settings, "plimsoll-read-" + topic.name(), "earliest"));
        this.pulse = new Pulse("reading " + topic.name() + " #" + READERS.incrementAndGet(), settings.listener());
        pulse.of(consumer::metrics);
    }

    /** Ends the subscription; returns at once. */
    void stopReading() {
        stop.countDown();
        wakeUp();
    }

    private boolean stopping() {
        return stop.getCount() == 0;
    }

    private void wakeUp() {
        synchronized (pollLock) {
            if (inPoll) {
                consumer.wakeup();
            }
        }
    }

    @Override
    public void run() {
        try {
            while (!stopping() && lanes.isEmpty()) {
                attempt(this::open);
            }
            while (!stopping()) {
                attempt(this::deliver);
            }
            lanes.values().forEach(Lane::complete);
            outer.complete();
        } catch (InterruptException e) {
            lanes.values().forEach(Lane::complete);
            outer.complete();
        } catch (Throwable fatal) {
            // The inner streams are complete as far as they came; the outer one tells why.
            lanes.values().forEach(Lane::complete);
            outer.error(fatal);
        } finally {
            consumer.close(CloseOptions.timeout(Duration.ofMillis(500)));
            pulse.close();
        }
    }

    /** Does it, or waits a while when the cluster does not let us. */
    private void attempt(Runnable action) {
        try {
            action.run();
            backoff.succeeded(this::goesOn);
        } catch (WakeupException e) {
            // A late one, for a poll that had ended by itself.
        } catch (InterruptException e) {
            throw e;
        } catch (KafkaException e) {
            if (KafkaFailure.of(e) == KafkaFailure.FATAL) {
                throw e;
            }
            boolean news = backoff.failed(e);
            boolean told = e instanceof TimeoutException timedOut && pulse.failed(timedOut);
            if (news && !told) {
                warned = true;
                LOG.warn("cannot read {} and keeps trying: {}", topic, KafkaFailure.describe(e));
            }
            try {
                // Ends early when reading is to end.
                boolean unused = stop.await(backoff.leftNanos(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException interrupted) {
                throw new InterruptException(interrupted);
            }
        }
    }

    private void goesOn() {
        pulse.answered();
        if (warned) {
            warned = false;
            LOG.info("reading {} goes on", topic);
        }
    }

    private void open() {
        List<PartitionInfo> infos = consumer.partitionsFor(topic.name());
        if (infos == null || infos.isEmpty()) {
            throw new UnknownTopicOrPartitionException(topic + " is not there; 'plimsoll topics create' makes it");
        }
        List<TopicPartition> partitions = infos.stream()
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .filter(partition -> only.map(deployment -> Topic.partition(deployment, infos.size()))
                        .orElse(partition.partition())
                        .equals(partition.partition()))
                .toList();
        Map<TopicPartition, Long> positions = positions(partitions);
        consumer.assign(partitions);
        consumer.pause(partitions);
        positions.forEach(consumer::seek);
        for (TopicPartition partition : partitions) {
            lanes.put(partition, new Lane<>(partition, this::wakeUp));
        }
        // Only now, as everything that can fail and be tried again is done.
        lanes.values().forEach(lane -> outer.next(new PartitionStream<>(topic, lane.number(), lane.batches())));
    }

    private Map<TopicPartition, Long> positions(Collection<TopicPartition> partitions) {
        if (start instanceof TopicReader.Start.Beginning) {
            return consumer.beginningOffsets(partitions);
        }
        Map<TopicPartition, Long> positions = new HashMap<>(consumer.endOffsets(partitions));
        if (start instanceof TopicReader.Start.At at) {
            Map<TopicPartition, Long> firsts = consumer.beginningOffsets(partitions);
            positions.replaceAll((partition, end) -> {
                long first = firsts.getOrDefault(partition, 0L);
                passing = at.from() <= end ? Optional.of(at) : Optional.empty();
                return at.from() <= end ? Math.max(first, at.first()) : first;
            });
        }
        if (start instanceof TopicReader.Start.Since since) {
            Map<TopicPartition, Long> query = new HashMap<>();
            partitions.forEach(partition -> query.put(partition, since.timestampMillis()));
            consumer.offsetsForTimes(query).forEach((partition, found) -> setIfFound(positions, partition, found));
        }
        return positions;
    }

    private static void setIfFound(
            Map<TopicPartition, Long> positions, TopicPartition partition, @Nullable OffsetAndTimestamp found) {
        if (found != null) {
            positions.put(partition, found.offset());
        }
    }

    private void deliver() {
        ConsumerRecords<byte[], ByteBuffer> records = poll();
        for (TopicPartition partition : records.partitions()) {
            Lane<T> lane = lanes.get(partition);
            if (lane == null) {
                throw new IllegalStateException("records of " + partition + ", which is not read");
            }
            List<Received<T>> batch = decode(records.records(partition));
            if (!batch.isEmpty()) {
                lane.emit(new PartitionBatch<>(partition.partition(), batch));
            }
        }
        passing.ifPresent(this::passOver);
    }

    private void passOver(TopicReader.Start.At at) {
        for (TopicPartition partition : lanes.keySet()) {
            long position = consumer.position(partition);
            long next = at.next(position);
            if (next > position) {
                consumer.seek(partition, next);
            }
            if (next >= at.from()) {
                passing = Optional.empty();
            }
        }
    }

    private ConsumerRecords<byte[], ByteBuffer> poll() {
        synchronized (pollLock) {
            inPoll = true;
        }
        try {
            boolean waits = false;
            // After inPoll is set: a credit that comes from here on wakes the poll.
            for (Map.Entry<TopicPartition, Lane<T>> lane : lanes.entrySet()) {
                boolean paused = consumer.paused().contains(lane.getKey());
                boolean open = lane.getValue().hasCredit();
                waits |= open;
                if (open && paused) {
                    consumer.resume(List.of(lane.getKey()));
                } else if (!open && !paused) {
                    consumer.pause(List.of(lane.getKey()));
                }
            }
            pulse.look(waits);
            return stopping() ? ConsumerRecords.empty() : consumer.poll(POLL);
        } finally {
            synchronized (pollLock) {
                inPoll = false;
            }
        }
    }

    private List<Received<T>> decode(List<ConsumerRecord<byte[], ByteBuffer>> records) {
        List<Received<T>> batch = new ArrayList<>(records.size());
        for (ConsumerRecord<byte[], ByteBuffer> record : records) {
            if (record.value() == null
                    || (only.isPresent() && !Records.isOf(topic, only.orElseThrow(), record.key()))) {
                continue;
            }
            try {
                batch.add(Records.decode(topic, record));
            } catch (WireException e) {
                unreadable.accept(Records.quarantined(record, e));
            }
        }
        return batch;
    }

    /** One partition's inner stream and its credit. */
    private static final class Lane<T> {
        private final TopicPartition partition;
        private final Credit credit = new Credit();
        private final Runnable wakeUp;
        private volatile @Nullable FluxSink<PartitionBatch<T>> sink;
        private volatile boolean complete;

        Lane(TopicPartition partition, Runnable wakeUp) {
            this.partition = partition;
            this.wakeUp = wakeUp;
        }

        int number() {
            return partition.partition();
        }

        Flux<PartitionBatch<T>> batches() {
            return Flux.<PartitionBatch<T>>create(subscriber -> {
                if (sink != null) {
                    subscriber.error(new IllegalStateException(partition + " has a subscriber already"));
                    return;
                }
                sink = subscriber;
                if (complete) {
                    subscriber.complete();
                    return;
                }
                subscriber.onDispose(credit::cancel);
                subscriber.onRequest(batches -> {
                    credit.add(batches);
                    wakeUp.run();
                });
            });
        }

        boolean hasCredit() {
            return credit.any();
        }

        void emit(PartitionBatch<T> batch) {
            FluxSink<PartitionBatch<T>> subscriber = sink;
            if (subscriber != null && credit.take()) {
                subscriber.next(batch);
            }
        }

        void complete() {
            complete = true;
            FluxSink<PartitionBatch<T>> subscriber = sink;
            if (subscriber != null) {
                subscriber.complete();
            }
        }
    }
}
