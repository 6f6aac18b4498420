package dev.plimsoll.wire.kafka;

import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Several members of one group in one process, each a {@link PartitionLoop} with a thread of its own: for more work than one
 * thread can do. The group spreads partitions over them as over processes.
 *
 * <p>Tasks of different partitions and calls of the listener then come from several threads at once. With a
 * {@code group.instance.id}, the first member has it as it is, the others with {@code -1}, {@code -2} … behind it.
 */
public final class PartitionLoops<I> implements AutoCloseable {
    /** More threads than this in one process are of no use. */
    public static final int MOST = 64;

    /**
     * What one of the loops works with; used on its thread only.
     *
     * @param tasks makes the task of a partition
     */
    public record Member<I>(IntFunction<PartitionTask<I>> tasks, PartitionLoop.Listener listener) {}

    private final List<PartitionLoop<I>> loops;

    /**
     * @param members how many, 1 to {@value #MOST}
     * @param listener told by all of them; {@code onStopped} by each that stops
     */
    public PartitionLoops(
            int members,
            KafkaSettings settings,
            String role,
            Topic<I> input,
            IntFunction<PartitionTask<I>> tasks,
            PartitionLoop.Listener listener) {
        this(members, settings, role, input, () -> new Member<>(tasks, listener));
    }

    /**
     * @param members how many, 1 to {@value #MOST}
     * @param each makes what the next one works with: one that hears late that it has lost a partition then takes nothing away
     *     from another that has it by now
     */
    public PartitionLoops(int members, KafkaSettings settings, String role, Topic<I> input, Supplier<Member<I>> each) {
        if (members < 1 || members > MOST) {
            throw new IllegalArgumentException(members + " loops: 1 to " + MOST + " are possible in a process");
        }
        loops = IntStream.range(0, members)
                .mapToObj(number -> {
                    Member<I> member = each.get();
                    return new PartitionLoop<>(named(settings, number), role, input, member.tasks(), member.listener());
                })
                .toList();
    }

    static KafkaSettings named(KafkaSettings settings, int member) {
        String instance = settings.properties().get("group.instance.id");
        if (instance == null || member == 0) {
            return settings;
        }
        Map<String, String> properties = new HashMap<>(settings.properties());
        properties.put("group.instance.id", instance + "-" + member);
        return new KafkaSettings(settings.bootstrapServers(), properties, settings.listener());
    }

    /** Starts all threads and returns; when one cannot be started, those that were are closed. */
    public void start() {
        try {
            loops.forEach(PartitionLoop::start);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Whether all are {@link PartitionLoop#alive}. */
    public boolean alive() {
        return loops.stream().allMatch(PartitionLoop::alive);
    }

    /** Whether all have {@link PartitionLoop#joined}. */
    public boolean joined() {
        return loops.stream().allMatch(PartitionLoop::joined);
    }

    /** Whether all are {@link PartitionLoop#settled}. */
    public boolean settled() {
        return loops.stream().allMatch(PartitionLoop::settled);
    }

    /** Closes all at the same time; bounded by 5 s as one is. */
    @Override
    public void close() {
        List<Thread> closing = new ArrayList<>();
        for (PartitionLoop<I> loop : loops.subList(1, loops.size())) {
            Thread thread = new Thread(loop::close, "plimsoll-closing");
            thread.start();
            closing.add(thread);
        }
        loops.get(0).close();
        for (Thread thread : closing) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
