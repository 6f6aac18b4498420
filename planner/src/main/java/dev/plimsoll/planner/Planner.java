package dev.plimsoll.planner;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.wire.kafka.PartitionLoops;
import java.time.InstantSource;

/**
 * The planner's role: owns partitions of the windows topic and decides for the deployments in them.
 *
 * <p>Several may run; the group spreads partitions over them, and one that takes over fences and replaces its predecessor.
 */
public final class Planner implements AutoCloseable {
    private final ParallelPlanning planning;
    private final PartitionLoops<LoadWindow> loops;

    /** @param name who we are, for people who read the plan log */
    public Planner(
            KafkaSettings kafka,
            PlannerSettings settings,
            String name,
            PlannerListener listener,
            PartitionLoop.Listener loopListener) {
        this(kafka, 1, settings, name, listener, loopListener);
    }

    /** @param loops how many members of the group, each with a thread, this process has */
    public Planner(
            KafkaSettings kafka,
            int loops,
            PlannerSettings settings,
            String name,
            PlannerListener listener,
            PartitionLoop.Listener loopListener) {
        this.planning = new ParallelPlanning(Policy.named(settings.policy()), settings.planThreads());
        this.loops = new PartitionLoops<>(
                loops,
                kafka,
                "planner",
                Topic.WINDOWS,
                partition -> new PlannerTask(settings, planning, name, listener, InstantSource.system()),
                loopListener);
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

    /** Stops within 5 s; what was decided and not committed is decided again by whoever takes over. */
    @Override
    public void close() {
        loops.close();
        planning.close();
    }
}
