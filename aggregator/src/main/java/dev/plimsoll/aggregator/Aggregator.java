package dev.plimsoll.aggregator;

import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.wire.kafka.PartitionLoops;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The role: a member of the group that folds samples into windows. Start as many as there is work; each takes over some partitions.
 *
 * <p>May be started, asked and closed by any thread.
 */
public final class Aggregator implements AutoCloseable {
    private final PartitionLoops<SampleRecord> loops;

    public Aggregator(KafkaSettings kafka, AggregatorSettings settings, AggregatorListener listener) {
        this(kafka, 1, settings, listener, cause -> {});
    }

    public Aggregator(
            KafkaSettings kafka,
            AggregatorSettings settings,
            AggregatorListener listener,
            Consumer<Throwable> stopped) {
        this(kafka, 1, settings, listener, stopped);
    }

    /**
     * @param loops how many members of the group, each with a thread, this process has
     * @param stopped told, on a loop's thread, when one has ended of itself and will not work again
     */
    public Aggregator(
            KafkaSettings kafka,
            int loops,
            AggregatorSettings settings,
            AggregatorListener listener,
            Consumer<Throwable> stopped) {
        this.loops = new PartitionLoops<>(loops, kafka, "aggregator", Topic.SAMPLES, () -> {
            LoopTasks tasks = new LoopTasks(settings, listener, stopped);
            return new PartitionLoops.Member<>(tasks::make, tasks);
        });
    }

    /** The tasks of one loop, told what it tells. Owned by the loop's thread. */
    static final class LoopTasks implements PartitionLoop.Listener {
        private final AggregatorSettings settings;
        private final AggregatorListener listener;
        private final Consumer<Throwable> stopped;
        /** The newest of each partition. */
        private final Map<Integer, AggregatorTask> newest = new HashMap<>();

        LoopTasks(AggregatorSettings settings, AggregatorListener listener, Consumer<Throwable> stopped) {
            this.settings = settings;
            this.listener = listener;
            this.stopped = stopped;
        }

        AggregatorTask make(int partition) {
            AggregatorTask task = new AggregatorTask(partition, settings, listener);
            newest.put(partition, task);
            return task;
        }

        @Override
        public void onRevoked(int partition) {
            Optional.ofNullable(newest.remove(partition)).ifPresent(AggregatorTask::revoked);
        }

        @Override
        public void onCommitted(int partition, int outputs, Duration took) {
            Optional.ofNullable(newest.get(partition)).ifPresent(task -> task.onCommitted(outputs, took));
        }

        @Override
        public void onReset(int partition, Throwable cause) {
            listener.reset(partition, cause);
        }

        @Override
        public void onQuarantined(int partition, Throwable cause) {
            listener.quarantined(partition, cause);
        }

        @Override
        public void onStopped(Throwable cause) {
            stopped.accept(cause);
        }
    }

    /** Starts the loops' threads and returns. */
    public void start() {
        loops.start();
    }

    /** Whether all loops work and have been in touch with their group within the last 10 s. */
    public boolean alive() {
        return loops.joined();
    }

    /** Whether all partitions that it owns are worked on: none waits after a failure, or is left alone until somebody has looked. */
    public boolean settled() {
        return loops.settled();
    }

    /** Commits what is folded and leaves the group, within 5 s. */
    @Override
    public void close() {
        loops.close();
    }
}
