package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.life.Blast;
import dev.plimsoll.wire.life.Phase;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.producer.Producer;
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
 * <p>One thread polls and folds, and never waits for long: predecessors are fenced and transactions committed on helpers' threads,
 * and tasks recover in slices, so that a partition that takes long holds up no other. Each partition has a transactional id of its
 * own, {@code plimsoll-<role>-<partition>}, so that a take-over fences at once, whatever the predecessor still has under way; a task
 * is left alone while its transaction is committed.
 *
 * <p>A retriable error of a poll keeps all tasks, and a call of a commit that times out is made again for 30 s and longer for large
 * transactions. What fails beyond that drops its partition's task, and a new one recovers from the committed offset, soon or, where
 * time alone will hardly help (an {@link Error} of the task, a record too large, a state that cannot be read or contradicts what is
 * committed), after a minute. A record at which tasks have thrown three times is handed to {@link PartitionTask#onUnreadable}. Only
 * what concerns everything, such as authentication or rights, stops the loop.
 *
 * <p>A member that was killed and starts again gets its partitions when the old member's session has ended: after 6 s, or with
 * {@code group.protocol=consumer}, which is supported, after the brokers' {@code group.consumer.session.timeout.ms} (45 s unless
 * changed). With a {@code group.instance.id} of its own (static membership) it gets them at once.
 */
public final class PartitionLoop<I> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PartitionLoop.class);
    private static final Duration SILENT = Duration.ofSeconds(10);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration POLL_WITH_COMPANIONS = Duration.ofMillis(20);
    private static final Duration POLL_WHILE_MOVING = Duration.ofMillis(5);
    /** How long all recoveries may keep the thread in one round. */
    private static final Duration SLICE = Duration.ofMillis(50);
    /** How long a round waits for commits before it leaves them to their helpers: most are through by then. */
    private static final Duration PATIENCE = Duration.ofMillis(200);
    /** How many partitions are taken over at once, each with a helper and what its task reads. */
    private static final int SIDE_BY_SIDE = 16;

    /** What the loop tells of itself; called on its thread. */
    public interface Listener {
        Listener NONE = new Listener() {};

        default void onAssigned(int partition) {}

        default void onRevoked(int partition) {}

        default void onCommitted(int partition, int outputs, Duration took) {}

        /** A task was dropped and will be recovered. */
        default void onReset(int partition, Throwable cause) {}

        /** A partition is left alone, but for a try in every minute: somebody should put the cause right. */
        default void onQuarantined(int partition, Throwable cause) {}

        /** The loop has ended of itself and takes no more work: somebody has to put the cause right and start another. */
        default void onStopped(Throwable cause) {}
    }

    private final KafkaSettings settings;
    private final String role;
    private final Topic<I> input;
    private final IntFunction<PartitionTask<I>> tasks;
    private final Listener listener;
    private final Pace pace;
    private final Function<Map<String, Object>, Producer<byte[], byte[]>> writers;
    private final Map<TopicPartition, OwnedPartition<I>> owned =
            new TreeMap<>((a, b) -> Integer.compare(a.partition(), b.partition()));
    private final Backoff polling = new Backoff();
    private final Heartbeats heartbeats = new Heartbeats();
    private final MemberWatch watch;
    private volatile boolean closing;
    private volatile boolean settled;
    private volatile long lastProgressNanos;
    private volatile @Nullable Thread thread;
    private @Nullable Open clients;
    private long patienceUntilNanos;

    /** What a loop has open; made in the caller's hands, used and closed by the loop's thread. */
    private record Open(
            Consumer<byte[], ByteBuffer> consumer,
            AssignedReader reader,
            Brokers brokers,
            LogWatch watch,
            ExecutorService helpers) {}

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
        this(settings, role, input, tasks, listener, Pace.USUAL, properties -> Clients.producer(settings, properties));
    }

    PartitionLoop(
            KafkaSettings settings,
            String role,
            Topic<I> input,
            IntFunction<PartitionTask<I>> tasks,
            Listener listener,
            Pace pace,
            Function<Map<String, Object>, Producer<byte[], byte[]>> writers) {
        this.settings = settings;
        this.role = role;
        this.input = input;
        this.tasks = tasks;
        this.listener = listener;
        this.pace = pace;
        this.writers = writers;
        this.watch = new MemberWatch(role, settings.listener());
    }

    /** Starts the thread and returns. */
    public synchronized void start() {
        if (thread != null) {
            throw new IllegalStateException("the " + role + " loop runs already: make another one to start again");
        }
        // Clients are made here, so that wrong settings fail in the caller's hands.
        Consumer<byte[], ByteBuffer> consumer =
                Clients.consumer(settings, ClientProperties.member(settings, Topic.PREFIX + role, "plimsoll-" + role));
        Open open;
        try {
            AssignedReader reader = new AssignedReader(Clients.consumer(
                    settings, ClientProperties.reader(settings, "plimsoll-" + role + "-reader", "none")));
            Brokers brokers = new Brokers(settings, role);
            open = new Open(
                    consumer,
                    reader,
                    brokers,
                    new LogWatch(brokers, input.name(), pace.logLook()),
                    // At most one thread for each partition that waits for brokers.
                    Executors.newCachedThreadPool(work -> daemon(work, "plimsoll-" + role + "-helper")));
        } catch (RuntimeException e) {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
            throw e;
        }
        clients = open;
        watch.of(consumer);
        progressed();
        Thread starting = daemon(() -> run(open), "plimsoll-" + role);
        thread = starting;
        starting.start();
    }

    private static Thread daemon(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
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

    /**
     * Whether it is alive, the input topic is there, and no partition that it owns waits after a failure, is left alone or is tried again
     * and does not run yet: readiness
     * for whoever wants to know that everything is worked on.
     */
    public boolean settled() {
        return alive() && settled;
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

    private void run(Open open) {
        Consumer<byte[], ByteBuffer> consumer = open.consumer();
        try {
            consumer.subscribe(List.of(input.name()), new Assignment(open));
            while (!closing) {
                round(open);
            }
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1500);
            owned.values().forEach(partition -> partition.awaitCommit(Math.max(0, until - System.nanoTime())));
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
            settled = false;
            closeQuietly(watch::close);
            closeQuietly(() -> consumer.close(CloseOptions.timeout(Duration.ofSeconds(2))));
            owned.values().forEach(partition -> closeQuietly(partition::drop));
            closeQuietly(() -> open.helpers().shutdownNow());
            closeQuietly(open.reader()::close);
            closeQuietly(open.brokers()::close);
        }
    }

    private void round(Open open) {
        ConsumerRecords<byte[], ByteBuffer> records = poll(open);
        ConsumerRecords<byte[], ByteBuffer> ofCompanions = pollCompanions(open.reader());
        progressed();
        heartbeats.of(open.consumer());
        long nowMillis = System.currentTimeMillis();
        watch.look(open.consumer(), records, nowMillis);
        Map<Integer, List<ConsumerRecord<byte[], ByteBuffer>>> companions = new HashMap<>();
        for (ConsumerRecord<byte[], ByteBuffer> record : ofCompanions) {
            companions
                    .computeIfAbsent(record.partition(), partition -> new ArrayList<>())
                    .add(record);
        }
        patienceUntilNanos = System.nanoTime() + PATIENCE.toNanos();
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
                            System.nanoTime() + SLICE.toNanos() / Math.max(1, recovering));
                } else if (takenOver < SIDE_BY_SIDE) {
                    takenOver++;
                    partition.begin();
                }
            } catch (Throwable failure) {
                failed(partition, failure);
            }
        }
        lookAt(open.watch());
        settled = !open.watch().missing() && owned.values().stream().noneMatch(OwnedPartition::failing);
    }

    /** Whether the input is still the log that the tasks know; also the time to say that what was committed is still all. */
    private void lookAt(LogWatch watch) {
        TopicDescription seen = watch.look();
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

    private ConsumerRecords<byte[], ByteBuffer> poll(Open open) {
        boolean moving = owned.values().stream().anyMatch(OwnedPartition::moving);
        Duration timeout = moving ? POLL_WHILE_MOVING : open.reader().hasCompanions() ? POLL_WITH_COMPANIONS : POLL;
        try {
            ConsumerRecords<byte[], ByteBuffer> records = open.consumer().poll(timeout);
            polling.succeeded(() -> LOG.info("{} polls again", role));
            return records;
        } catch (InvalidOffsetException e) {
            open.watch().soon();
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
            LOG.warn("{} cannot poll and keeps trying: {}", role, KafkaFailure.describe(failure));
        }
        if (KafkaFailure.of(failure) == KafkaFailure.RESET) {
            owned.values().forEach(partition -> failed(partition, failure));
        }
        try {
            TimeUnit.NANOSECONDS.sleep(polling.leftNanos());
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

    /** The stack is of use where the error is ours; a cluster's errors are told by their message. */
    private static @Nullable Throwable stackOfBug(Throwable failure) {
        return failure instanceof KafkaException || failure instanceof RefusedException ? null : failure;
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

    // What its partitions ask of the loop.

    Listener listener() {
        return listener;
    }

    Pace pace() {
        return pace;
    }

    Brokers brokers() {
        return opened().brokers();
    }

    ExecutorService helpers() {
        return opened().helpers();
    }

    private Open opened() {
        return Objects.requireNonNull(clients, "the loop has not started");
    }

    TakeOver takeOver(TopicPartition partition, boolean mustFence) {
        return new TakeOver(
                helpers(),
                partition,
                mustFence,
                brokers(),
                () -> writers.apply(
                        Commit.writerProperties(settings, "plimsoll-" + role + "-" + partition.partition())));
    }

    PartitionTask<I> newTask(int partition) {
        return tasks.apply(partition);
    }

    boolean logSeenLately() {
        return opened().watch().recent();
    }

    void lookAtLog() {
        opened().watch().soon();
    }

    /** How long a partition may still wait for its commit in this round. */
    long patienceNanos() {
        return Math.max(TimeUnit.MILLISECONDS.toNanos(1), patienceUntilNanos - System.nanoTime());
    }

    void recovered(TopicPartition partition) {
        LOG.info("{} has recovered {}", role, partition);
    }

    void logChanged(TopicPartition partition, Throwable change) {
        LOG.warn("{} recovers {}: {}", role, partition, change.getMessage());
    }

    void waits(TopicPartition partition, boolean news, Throwable cause) {
        if (news) {
            LOG.warn(
                    "{} recovers {} and keeps trying: {}",
                    role,
                    partition,
                    KafkaFailure.describe(cause),
                    stackOfBug(cause));
        }
    }

    void quarantines(TopicPartition partition, Throwable cause) {
        LOG.error(
                "{} leaves {} alone and tries again every {}, others go on: {}",
                role,
                partition,
                pace.quarantined(),
                KafkaFailure.describe(cause),
                stackOfBug(cause));
    }

    private void progressed() {
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
        private final Open open;

        Assignment(Open open) {
            this.open = open;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            for (TopicPartition partition : partitions) {
                owned.put(
                        partition,
                        new OwnedPartition<>(partition, input, PartitionLoop.this, open.consumer(), open.reader()));
                // Any position will do while the partition is paused: without one, poll would throw.
                open.consumer().pause(List.of(partition));
                open.consumer().seek(partition, 0);
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
