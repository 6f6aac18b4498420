package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.life.Blast;
import dev.plimsoll.wire.life.Phase;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the thread of a {@link PartitionLoop} does: polls, and gives every partition that the group has assigned its rounds. Knows no
 * thread and no time but the {@link LoopClock}'s, so that a simulation runs the same code. {@link #run} belongs to one thread; any may
 * ask and {@link #end}.
 */
final class GroupMember<I> {
    private static final Logger LOG = LoggerFactory.getLogger(PartitionLoop.class);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration POLL_WITH_COMPANIONS = Duration.ofMillis(20);
    private static final Duration POLL_WHILE_MOVING = Duration.ofMillis(5);
    /** How long all recoveries may keep the thread in one round. */
    private static final Duration SLICE = Duration.ofMillis(50);
    /** How many partitions are taken over at once, each with a helper and what its task reads. */
    private static final int SIDE_BY_SIDE = 16;

    private final LoopCommons<I> commons;
    private final Consumer<byte[], ByteBuffer> consumer;
    private final LoopClock clock;
    private final MemberWatch watch;
    private final Heartbeats heartbeats = new Heartbeats();
    private final Backoff polling;
    private final Map<TopicPartition, OwnedPartition<I>> owned =
            new TreeMap<>((a, b) -> Integer.compare(a.partition(), b.partition()));
    private volatile boolean ending;
    private volatile boolean settled;
    private volatile long lastProgressNanos;

    GroupMember(LoopCommons<I> commons, ClientListener listener) {
        this.commons = commons;
        this.consumer = commons.consumer();
        this.clock = commons.clock();
        this.watch = new MemberWatch(commons.role(), listener);
        this.polling = new Backoff(clock);
        watch.of(consumer);
        progressed();
    }

    /** When it has polled last. */
    long lastProgressNanos() {
        return lastProgressNanos;
    }

    /** Whether it has joined its group and has been in touch with it within the last 10 s. */
    boolean joined() {
        return heartbeats.recent();
    }

    /** Whether the input is there, and no partition that it owns waits after a failure. */
    boolean settled() {
        return settled;
    }

    /** Asks it to take no more and to leave. */
    void end() {
        ending = true;
    }

    /** Works until it is asked to end or nothing will work any more; then leaves the group and closes everything. */
    void run() {
        try {
            consumer.subscribe(List.of(commons.input().name()), new Assignment());
            while (!ending) {
                round();
            }
            long until = clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1500);
            owned.values().forEach(partition -> partition.awaitCommit(Math.max(0, until - clock.nanoTime())));
        } catch (InterruptException e) {
            LOG.warn("{} was interrupted and stops", commons.role());
        } catch (Throwable fatal) {
            LOG.error(
                    "{} stops and will not recover by itself: {}",
                    commons.role(),
                    KafkaFailure.describe(fatal),
                    LoopCommons.stackOfBug(fatal));
            commons.listener().onStopped(fatal);
        } finally {
            // Whatever interrupted us must not cut the farewell to the group short.
            Thread.interrupted();
            settled = false;
            LoopCommons.quietly(watch::close);
            LoopCommons.quietly(() -> consumer.close(CloseOptions.timeout(Duration.ofSeconds(2))));
            owned.values().forEach(partition -> LoopCommons.quietly(partition::drop));
            commons.close();
        }
    }

    private void round() {
        ConsumerRecords<byte[], ByteBuffer> records = poll();
        ConsumerRecords<byte[], ByteBuffer> ofCompanions = pollCompanions(commons.reader());
        progressed();
        heartbeats.of(consumer);
        long nowMillis = clock.currentTimeMillis();
        watch.look(consumer, records, nowMillis);
        Map<Integer, List<ConsumerRecord<byte[], ByteBuffer>>> companions = new HashMap<>();
        for (ConsumerRecord<byte[], ByteBuffer> record : ofCompanions) {
            companions
                    .computeIfAbsent(record.partition(), partition -> new ArrayList<>())
                    .add(record);
        }
        commons.beginRound();
        long recovering = owned.values().stream()
                .filter(partition -> partition.phase() == Phase.RECOVERING)
                .count();
        long takenOver = recovering
                + owned.values().stream()
                        .filter(partition -> partition.phase() == Phase.FENCING)
                        .count();
        for (OwnedPartition<I> partition : owned.values()) {
            try {
                if (!partition.due()) {
                    partition.round(
                            records.records(partition.input()),
                            companions.getOrDefault(partition.input().partition(), List.of()),
                            nowMillis,
                            clock.nanoTime() + SLICE.toNanos() / Math.max(1, recovering));
                } else if (takenOver < SIDE_BY_SIDE) {
                    takenOver++;
                    partition.begin();
                }
            } catch (Throwable failure) {
                failed(partition, failure);
            }
        }
        lookAt(commons.logWatch());
        settled = !commons.logWatch().missing() && owned.values().stream().noneMatch(OwnedPartition::failing);
    }

    /** Whether the input is still the log that the tasks know; also the time to say that what was committed is still all. */
    private void lookAt(LogWatch logWatch) {
        TopicDescription seen = logWatch.look();
        if (seen == null) {
            return;
        }
        for (OwnedPartition<I> partition : owned.values()) {
            try {
                partition.seen(seen);
                partition.renew();
            } catch (Throwable failure) {
                failed(partition, failure);
            }
        }
    }

    private ConsumerRecords<byte[], ByteBuffer> poll() {
        boolean moving = owned.values().stream().anyMatch(OwnedPartition::moving);
        Duration timeout = moving ? POLL_WHILE_MOVING : commons.reader().hasCompanions() ? POLL_WITH_COMPANIONS : POLL;
        try {
            ConsumerRecords<byte[], ByteBuffer> records = consumer.poll(timeout);
            polling.succeeded(() -> LOG.info("{} polls again", commons.role()));
            return records;
        } catch (InvalidOffsetException e) {
            commons.logWatch().soon();
            List<OwnedPartition<I>> lost = owned.values().stream()
                    .filter(partition -> e.partitions().contains(partition.input()))
                    .toList();
            lost.forEach(partition -> failed(partition, e));
        } catch (RuntimeException e) {
            pollFailed(e);
        }
        return ConsumerRecords.empty();
    }

    private ConsumerRecords<byte[], ByteBuffer> pollCompanions(AssignedReader reader) {
        try {
            return reader.poll(POLL_WITH_COMPANIONS);
        } catch (InvalidOffsetException e) {
            // The log was cut above the position: the tasks missed records and must recover.
            List<OwnedPartition<I>> behind = owned.values().stream()
                    .filter(partition -> e.partitions().stream()
                            .anyMatch(lost ->
                                    lost.partition() == partition.input().partition()))
                    .toList();
            behind.forEach(partition -> failed(partition, e));
        } catch (RuntimeException e) {
            pollFailed(e);
        }
        return ConsumerRecords.empty();
    }

    private void pollFailed(RuntimeException failure) {
        rethrowIfOver(failure, KafkaFailure.of(failure).blast(Blast.MEMBER));
        if (polling.failed(failure)) {
            LOG.warn("{} cannot poll and keeps trying: {}", commons.role(), KafkaFailure.describe(failure));
        }
        if (KafkaFailure.of(failure) == KafkaFailure.RESET) {
            owned.values().forEach(partition -> failed(partition, failure));
        }
        try {
            clock.sleep(polling.leftNanos());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private void failed(OwnedPartition<I> partition, Throwable thrown) {
        // Helpers' failures come wrapped.
        Throwable cause = thrown.getCause();
        Throwable failure = thrown instanceof CompletionException && cause != null ? cause : thrown;
        rethrowIfOver(failure, OwnedPartition.reach(failure));
        partition.failed(failure);
    }

    private static void rethrowIfOver(Throwable failure, Blast reach) {
        if (failure instanceof InterruptException interrupted) {
            throw interrupted;
        }
        if (reach == Blast.PROCESS) {
            throw failure instanceof RuntimeException fatal
                    ? fatal
                    : failure instanceof Error error ? throwError(error) : new IllegalStateException(failure);
        }
    }

    private static RuntimeException throwError(Error error) {
        throw error;
    }

    private void progressed() {
        lastProgressNanos = clock.nanoTime();
    }

    /** Runs inside {@code poll} on the loop's thread; must be short, so recovery happens after it. */
    private final class Assignment implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            for (TopicPartition partition : partitions) {
                owned.put(partition, new OwnedPartition<>(partition, commons));
                // Any position will do while the partition is paused: without one, poll would throw.
                consumer.pause(List.of(partition));
                consumer.seek(partition, 0);
                commons.listener().onAssigned(partition.partition());
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            for (TopicPartition partition : partitions) {
                OwnedPartition<I> revoked = owned.remove(partition);
                if (revoked != null) {
                    revoked.drop();
                    commons.listener().onRevoked(partition.partition());
                }
            }
        }
    }
}
