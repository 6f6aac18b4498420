package dev.plimsoll.planner;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PartitionLoop;
import java.time.InstantSource;

/**
 * The planner's role: owns partitions of the windows topic and decides for the deployments in them.
 *
 * <p>Several may run; the group spreads partitions over them, and one that takes over fences and replaces its predecessor.
 */
public final class Planner implements AutoCloseable {
    private final ParallelPlanning planning;
    private final PartitionLoop<LoadWindow> loop;

    /** @param name who we are, for people who read the plan log */
    public Planner(
            KafkaSettings kafka,
            PlannerSettings settings,
            String name,
            PlannerListener listener,
            PartitionLoop.Listener loopListener) {
        this.planning = new ParallelPlanning(Policy.named(settings.policy()), settings.planThreads());
        this.loop = new PartitionLoop<>(
                kafka,
                "planner",
                Topic.WINDOWS,
                partition -> new PlannerTask(settings, planning, name, listener, InstantSource.system()),
                loopListener);
    }

    /** Starts the loop's thread and returns. */
    public void start() {
        loop.start();
    }

    /** Whether the loop works and has been in touch with its group within the last 10 s. */
    public boolean alive() {
        return loop.joined();
    }

    /** Stops within 5 s; what was decided and not committed is decided again by whoever takes over. */
    @Override
    public void close() {
        loop.close();
        planning.close();
    }
}
