package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

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
    private static final Duration SILENT = Duration.ofSeconds(10);

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

    private final LoopCommons.Order<I> order;
    private final LoopClients clients;
    private final ClientListener clientListener;
    private volatile boolean closing;
    private volatile @Nullable GroupMember<I> member;
    private volatile @Nullable Thread thread;

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
        this.order = new LoopCommons.Order<>(role, input, tasks, listener, pace);
        this.clients = new LoopClients.OfKafka(settings, role, writers);
        this.clientListener = settings.listener();
    }

    /** Starts the thread and returns. */
    public synchronized void start() {
        if (thread != null) {
            throw new IllegalStateException(
                    "the " + order.role() + " loop runs already: make another one to start again");
        }
        // Clients are made here, so that wrong settings fail in the caller's hands.
        GroupMember<I> starting = new GroupMember<>(
                new LoopCommons<>(
                        order,
                        clients,
                        LoopClock.SYSTEM,
                        // At most one thread for each partition that waits for brokers.
                        Executors.newCachedThreadPool(work -> daemon(work, "plimsoll-" + order.role() + "-helper"))),
                clientListener);
        member = starting;
        if (closing) {
            starting.end();
        }
        Thread running = daemon(starting::run, "plimsoll-" + order.role());
        thread = running;
        running.start();
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
        GroupMember<I> working = member;
        return running != null
                && working != null
                && running.isAlive()
                && System.nanoTime() - working.lastProgressNanos() < SILENT.toNanos();
    }

    /**
     * Whether it is alive, has joined its group and has been in touch with it within the last 10 s. A member may have joined and
     * own nothing.
     */
    public boolean joined() {
        GroupMember<I> working = member;
        return alive() && working != null && working.joined();
    }

    /**
     * Whether it is alive, the input topic is there, and no partition that it owns waits after a failure, is left alone or is tried again
     * and does not run yet: readiness
     * for whoever wants to know that everything is worked on.
     */
    public boolean settled() {
        GroupMember<I> working = member;
        return alive() && working != null && working.settled();
    }

    /** Stops polling, commits what is taken, leaves the group; bounded by 5 s. */
    @Override
    public void close() {
        closing = true;
        GroupMember<I> working = member;
        Thread running = thread;
        if (working != null) {
            working.end();
        }
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
}
