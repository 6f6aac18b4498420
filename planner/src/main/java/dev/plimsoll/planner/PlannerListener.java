package dev.plimsoll.planner;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.placement.Experience;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Effect;
import java.time.Duration;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * What the planner tells of itself; called on its loop's thread, which it must not hold up, when the transaction is committed in
 * which it happened. What is committed by a planner that loses its partition before it hears of it is told by nobody.
 */
public interface PlannerListener {
    PlannerListener NONE = new PlannerListener() {};

    /** Plans as they are made, for whoever wants to meter them; called on any thread. */
    default <T> Mono<T> watched(Mono<T> plan) {
        return plan;
    }

    /** What plans are made on, for whoever wants to meter it. */
    default Scheduler watched(Scheduler scheduler) {
        return scheduler;
    }

    /** This planner decides for the deployment, as long as it owns the partition. */
    default void serving(int partition, Deployment deployment) {}

    /** A window was read, whole or not. */
    default void heard(WindowSummary window) {}

    /** A rank was heard. */
    default void heard(RankAck ack) {}

    /** How a deployment stands, after each look at it: again and again, the same or not. */
    default void stands(Standing standing) {}

    /** A policy ran and the gate judged. */
    default void planned(Deployment deployment, Duration took) {}

    /** A plan that was wanted led to nothing, not even to a refusal. */
    default void planDropped(Deployment deployment, long windowIndex, PlanDrop reason) {}

    /** A window led to no decision. */
    default void refused(Deployment deployment, long windowIndex, Verdict.Keep keep) {}

    default void proposed(PlanCommand.Propose propose) {}

    default void permitted(PlanCommand.Permit permit) {}

    /** @param moves slots that got another expert */
    default void settled(PlanCommand.Settled settled, int moves) {}

    default void aborted(PlanCommand.Abort abort) {}

    default void voided(PlanCommand.Void end) {}

    default void outcome(Outcome outcome) {}

    /** A person was answered. */
    default void answered(Control asked, ControlAnswer answer) {}

    /** A decision was measured to its end: so much is a policy's promise worth from now on, and for so long. */
    default void learned(Deployment deployment, String policy, Experience experience) {}

    /** A person has to look; the deployment may be in quarantine. */
    default void alarm(Deployment deployment, boolean quarantined, String text) {}

    /** An ack or event that changed nothing. */
    default void ignored(Deployment deployment, Effect.IgnoreReason reason) {}

    /** Window records that could not be put together and are given up. */
    default void dropped(Deployment deployment, WindowJoin.Drop reason, int windows) {}

    /** A record of the windows topic that could not be read. */
    default void unreadable(int partition) {}
}
