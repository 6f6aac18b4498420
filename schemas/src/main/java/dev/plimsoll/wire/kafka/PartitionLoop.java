package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a consumer group that runs a {@link PartitionTask} for every partition it is assigned, exactly once: outputs and
 * input offsets are committed together, a dead predecessor is fenced before anything is read.
 *
 * <p>One thread polls, folds, sends and commits; no transaction is open across a poll. Each partition has a transactional id of
 * its own, {@code plimsoll-<role>-<partition>}, so that a take-over fences at once. Any error that is not retriable drops the
 * partition's task and recovers a new one from the committed offset.
 *
 * <p>A member that was killed and starts again gets its partitions when the old member's session has ended, or at once when the
 * settings have a {@code group.instance.id} of its own (static membership). The session is 6 s long; with {@code
 * group.protocol=consumer} it is what the broker says, 45 s unless its {@code group.consumer.session.timeout.ms} says otherwise.
 */
public final class PartitionLoop<I> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PartitionLoop.class);
    private static final Duration SILENT = Duration.ofSeconds(10);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration POLL_WITH_COMPANIONS = Duration.ofMillis(20);

    /** What the loop tells of itself; called on its thread. */
    public interface Listener {
        Listener NONE = new Listener() {};

        default void onAssigned(int partition) {}

        default void onRevoked(int partition) {}

        default void onCommitted(int partition, int outputs, Duration took) {}

        /** A task was dropped and will be recovered. */
        default void onReset(int partition, Throwable cause) {}

        /** The loop has ended of itself and takes no more work: somebody has to put the cause right and start another. */
        default void onStopped(Throwable cause) {}
    }

    private final KafkaSettings settings;
    private final String role;
    private final Topic<I> input;
    private final IntFunction<PartitionTask<I>> tasks;
    private final Listener listener;
    private final Map<TopicPartition, OwnedPartition<I>> owned =
            new TreeMap<>((a, b) -> Integer.compare(a.partition(), b.partition()));
    private final Map<TopicPartition, Backoff> backoffs = new HashMap<>();
    private final Backoff polling = new Backoff();
    private final Heartbeats heartbeats = new Heartbeats();
    private final MemberWatch watch;
    private volatile boolean closing;
    private volatile long lastProgressNanos;
    private volatile @Nullable Thread thread;
    private @Nullable Admin admin;

    /**
     * @param role names the group {@code plimsoll.<role>} and the transactional ids
     * @param tasks makes the task of a partition
     */
    public PartitionLoop(
            KafkaSettings settings,
            String role,
            Topic<I> input,
            IntFunction<PartitionTask<I>> tasks,
            Listener listener) {
        this.settings = settings;
        this.role = role;
        this.input = input;
        this.tasks = tasks;
        this.listener = listener;
        this.watch = new MemberWatch(role, settings.listener());
    }

    /** Starts the thread and returns. */
    public synchronized void start() {
        if (thread != null) {
            throw new IllegalStateException("the " + role + " loop runs already: make another one to start again");
        }
        // Clients are made here, so that wrong settings fail in the caller's hands.
        Consumer<byte[], byte[]> consumer =
                Clients.consumer(settings, ClientProperties.member(settings, Topic.PREFIX + role, "plimsoll-" + role));
        AssignedReader reader;
        try {
            reader = new AssignedReader(Clients.consumer(
                    settings, ClientProperties.reader(settings, "plimsoll-" + role + "-reader", "none")));
            admin = Clients.admin(settings, ClientProperties.admin(settings, ClientProperties.CALL_TIMEOUT));
        } catch (RuntimeException e) {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
            throw e;
        }
        watch.of(consumer);
        progressed();
        Thread starting = new Thread(() -> run(consumer, reader), "plimsoll-" + role);
        starting.setDaemon(true);
        thread = starting;
        starting.start();
    }

    /**
     * Whether the thread runs and has polled within the last 10 s. Says nothing of the cluster: polls of one that is away are
     * empty and in time.
     */
    public boolean alive() {
        Thread running = thread;
        return running != null && running.isAlive() && System.nanoTime() - lastProgressNanos < SILENT.toNanos();
    }

    /**
     * Whether it is alive, has joined its group and has been in touch with it within the last 10 s. A member may have joined and
     * own nothing.
     */
    public boolean joined() {
        return alive() && heartbeats.recent();
    }

    /** Stops polling, commits what is taken, leaves the group; bounded by 5 s. */
    @Override
    public void close() {
        closing = true;
        Thread running = thread;
        if (running == null || running == Thread.currentThread()) {
            return;
        }
        try {
            running.join(4500);
            if (running.isAlive()) {
                running.interrupt();
                running.join(500);
            }
        } catch (InterruptedException e) {
            running.interrupt();
            Thread.currentThread().interrupt();
        }
    }

    private void run(Consumer<byte[], byte[]> consumer, AssignedReader reader) {
        try {
            consumer.subscribe(List.of(input.name()), new Assignment(consumer, reader));
            while (!closing) {
                round(consumer, reader);
            }
        } catch (InterruptException e) {
            LOG.warn("{} was interrupted and stops", role);
        } catch (Throwable fatal) {
            LOG.error(
                    "{} stops and will not recover by itself: {}",
                    role,
                    KafkaFailure.describe(fatal),
                    stackOfBug(fatal));
            listener.onStopped(fatal);
        } finally {
            // Whatever interrupted us must not cut the farewell to the group short.
            Thread.interrupted();
            closeQuietly(watch::close);
            closeQuietly(() -> consumer.close(CloseOptions.timeout(Duration.ofSeconds(2))));
            owned.values().forEach(partition -> closeQuietly(partition::drop));
            closeQuietly(reader::close);
            Admin open = admin;
            if (open != null) {
                closeQuietly(() -> open.close(Duration.ZERO));
            }
        }
    }

    private void round(Consumer<byte[], byte[]> consumer, AssignedReader reader) {
        ConsumerRecords<byte[], byte[]> records = poll(consumer, reader);
        ConsumerRecords<byte[], byte[]> ofCompanions = pollCompanions(reader);
        progressed();
        heartbeats.of(consumer);
        long nowMillis = System.currentTimeMillis();
        watch.look(consumer, records, nowMillis);
        Map<Integer, List<ConsumerRecord<byte[], byte[]>>> companions = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : ofCompanions) {
            companions
                    .computeIfAbsent(record.partition(), partition -> new ArrayList<>())
                    .add(record);
        }
        boolean recovered = false;
        for (OwnedPartition<I> partition : owned.values()) {
            try {
                if (partition.running()) {
                    partition.round(
                            records.records(partition.input()),
                            companions.getOrDefault(partition.input().partition(), List.of()),
                            nowMillis);
                } else if (!recovered && backoff(partition).over()) {
                    // One in a round: recovering blocks, and polls must go on.
                    recovered = true;
                    partition.recover();
                    backoff(partition).succeeded(() -> LOG.info("{} has recovered {}", role, partition.input()));
                }
                if (!partition.running()) {
                    consumer.pause(Set.of(partition.input()));
                }
            } catch (Throwable failure) {
                failed(consumer, partition, failure);
            }
        }
    }

    private ConsumerRecords<byte[], byte[]> poll(Consumer<byte[], byte[]> consumer, AssignedReader reader) {
        boolean recovering = owned.values().stream()
                .anyMatch(
                        partition -> !partition.running() && backoff(partition).over());
        Duration timeout = recovering ? Duration.ZERO : reader.hasCompanions() ? POLL_WITH_COMPANIONS : POLL;
        try {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(timeout);
            polling.succeeded(() -> LOG.info("{} polls again", role));
            return records;
        } catch (InvalidOffsetException e) {
            e.partitions().forEach(lost -> failedIfOwned(consumer, lost, e));
        } catch (RuntimeException e) {
            pollFailed(e, () -> owned.values().forEach(partition -> failed(consumer, partition, e)));
        }
        return ConsumerRecords.empty();
    }

    private ConsumerRecords<byte[], byte[]> pollCompanions(AssignedReader reader) {
        try {
            return reader.poll(POLL_WITH_COMPANIONS);
        } catch (InvalidOffsetException e) {
            // The log was cut above the position: the tasks missed records and must recover.
            List<OwnedPartition<I>> behind = owned.values().stream()
                    .filter(partition -> e.partitions().stream()
                            .anyMatch(lost ->
                                    lost.partition() == partition.input().partition()))
                    .toList();
            behind.forEach(partition -> failed(null, partition, e));
        } catch (RuntimeException e) {
            pollFailed(e, () -> owned.values().forEach(partition -> failed(null, partition, e)));
        }
        return ConsumerRecords.empty();
    }

    private void pollFailed(RuntimeException failure, Runnable reset) {
        rethrowIfOver(failure);
        if (polling.failed(failure)) {
            LOG.warn("{} cannot poll and keeps trying: {}", role, KafkaFailure.describe(failure));
        }
        if (KafkaFailure.of(failure) == KafkaFailure.RESET) {
            reset.run();
        }
        try {
            TimeUnit.NANOSECONDS.sleep(polling.leftNanos());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private void failedIfOwned(Consumer<byte[], byte[]> consumer, TopicPartition partition, Throwable failure) {
        OwnedPartition<I> failing = owned.get(partition);
        if (failing != null) {
            failed(consumer, failing, failure);
        }
    }

    private void failed(@Nullable Consumer<byte[], byte[]> consumer, OwnedPartition<I> partition, Throwable failure) {
        rethrowIfOver(failure);
        boolean dropped = partition.running();
        partition.drop();
        if (consumer != null) {
            consumer.pause(Set.of(partition.input()));
        }
        if (backoff(partition).failed(failure)) {
            LOG.warn(
                    "{} {} {} and keeps trying: {}",
                    role,
                    dropped ? "recovers" : "cannot recover",
                    partition.input(),
                    KafkaFailure.describe(failure),
                    stackOfBug(failure));
        }
        if (dropped || KafkaFailure.of(failure) == KafkaFailure.RESET) {
            listener.onReset(partition.input().partition(), failure);
        }
    }

    /** The stack is of use where the error is ours; a cluster's errors are told by their message. */
    private static @Nullable Throwable stackOfBug(Throwable failure) {
        return failure instanceof KafkaException ? null : failure;
    }

    private static void rethrowIfOver(Throwable failure) {
        if (failure instanceof InterruptException interrupted) {
            throw interrupted;
        }
        if (KafkaFailure.of(failure) == KafkaFailure.FATAL) {
            throw failure instanceof RuntimeException fatal
                    ? fatal
                    : failure instanceof Error error ? throwError(error) : new IllegalStateException(failure);
        }
    }

    private static RuntimeException throwError(Error error) {
        throw error;
    }

    private Backoff backoff(OwnedPartition<I> partition) {
        return backoffs.computeIfAbsent(partition.input(), input -> new Backoff());
    }

    KafkaProducer<byte[], byte[]> newProducer(int partition) {
        return Clients.producer(
                settings,
                ClientProperties.transactional(
                        settings, "plimsoll-" + role + "-" + partition, ClientProperties.CALL_TIMEOUT));
    }

    /** What the broker says of the input's log; blocks, bounded by the admin client's time-outs. */
    InputLog inputLog(int partition, long first, long end, OptionalLong committed, String note) {
        Admin asking = Objects.requireNonNull(admin, "the loop has not started");
        try {
            TopicDescription description = Objects.requireNonNull(asking.describeTopics(List.of(input.name()))
                    .allTopicNames()
                    .get()
                    .get(input.name()));
            return new InputLog(
                    partition,
                    description.partitions().size(),
                    description.topicId().toString(),
                    first,
                    end,
                    committed,
                    note);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new KafkaException(e.getCause());
        }
    }

    PartitionTask<I> newTask(int partition) {
        return tasks.apply(partition);
    }

    void committed(int partition, int outputs, Duration took) {
        progressed();
        listener.onCommitted(partition, outputs, took);
    }

    void progressed() {
        lastProgressNanos = System.nanoTime();
    }

    private static void closeQuietly(Runnable close) {
        try {
            close.run();
        } catch (RuntimeException e) {
            LOG.debug("closing", e);
        }
    }

    /** Runs inside {@code poll} on the loop's thread; must be short, so recovery happens after it. */
    private final class Assignment implements ConsumerRebalanceListener {
        private final Consumer<byte[], byte[]> consumer;
        private final AssignedReader reader;

        Assignment(Consumer<byte[], byte[]> consumer, AssignedReader reader) {
            this.consumer = consumer;
            this.reader = reader;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            for (TopicPartition partition : partitions) {
                owned.put(partition, new OwnedPartition<>(partition, input, PartitionLoop.this, consumer, reader));
                backoffs.remove(partition);
                // Any position will do while the partition is paused: without one, poll would throw.
                consumer.pause(Set.of(partition));
                consumer.seek(partition, 0);
                listener.onAssigned(partition.partition());
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            for (TopicPartition partition : partitions) {
                OwnedPartition<I> revoked = owned.remove(partition);
                if (revoked != null) {
                    revoked.drop();
                    listener.onRevoked(partition.partition());
                }
            }
        }
    }
}
