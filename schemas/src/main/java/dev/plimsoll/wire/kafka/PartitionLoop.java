package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.time.Duration;
import java.util.function.IntFunction;

/**
 * A member of a consumer group that runs a {@link PartitionTask} for every partition it is assigned, exactly once: outputs and
 * input offsets are committed together, a dead predecessor is fenced before anything is read.
 *
 * <p>One thread polls, folds, sends and commits; no transaction is open across a poll. Each partition has a transactional id of
 * its own, {@code plimsoll-<role>-<partition>}, so that a take-over fences at once. Any error that is not retriable drops the
 * partition's task and recovers a new one from the committed offset.
 */
public final class PartitionLoop<I> implements AutoCloseable {

    /** What the loop tells of itself; called on its thread. */
    public interface Listener {
        Listener NONE = new Listener() {};

        default void onAssigned(int partition) {}

        default void onRevoked(int partition) {}

        default void onCommitted(int partition, int outputs, Duration took) {}

        /** A task was dropped and will be recovered. */
        default void onReset(int partition, Throwable cause) {}
    }

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
        throw new UnsupportedOperationException();
    }

    /** Starts the thread and returns. */
    public void start() {
        throw new UnsupportedOperationException();
    }

    /** Whether the thread runs and has polled within the last 10 s. */
    public boolean alive() {
        throw new UnsupportedOperationException();
    }

    /** Stops polling, commits what is taken, leaves the group; bounded by 5 s. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
