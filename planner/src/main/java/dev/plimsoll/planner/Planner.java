package dev.plimsoll.planner;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.kafka.KafkaSettings;
import dev.plimsoll.wire.kafka.PartitionLoop;
import dev.plimsoll.wire.kafka.PartitionLoops;
import java.time.InstantSource;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The planner's role: owns partitions of the windows topic and decides for the deployments in them.
 *
 * <p>Several may run; the group spreads partitions over them, and one that takes over fences and replaces its predecessor.
 */
public final class Planner implements AutoCloseable {
    /** They share the threads that layers are planned on, so more would be no faster. */
    private static final int PLANS_AT_ONCE = 4;

    private final ParallelPlanning planning;
    private final Scheduler plans;
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
        this.plans = listener.watched(
                Schedulers.newBoundedElastic(PLANS_AT_ONCE, Integer.MAX_VALUE, "plimsoll-planner-plans", 60, true));
        PlanDesk desk = new BackgroundPlans(plans, Schedulers.parallel(), settings.planWithin(), listener);
        this.loops = new PartitionLoops<>(
                loops,
                kafka,
                "planner",
                Topic.WINDOWS,
                partition -> new PlannerTask(settings, planning, desk, name, listener, InstantSource.system()),
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
        plans.dispose();
        planning.close();
    }
}
