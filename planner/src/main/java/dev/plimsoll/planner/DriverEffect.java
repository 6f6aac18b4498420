package dev.plimsoll.planner;

import dev.plimsoll.model.ControlAnswer;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Effect;
import java.util.Optional;

/** What has to be done because of a {@link DriverEvent}; what is written of one event belongs into one transaction, in order. */
public sealed interface DriverEffect {
    /**
     * Append to the plan log.
     *
     * @param decision the one that was in flight when it was written
     */
    record Write(PlanCommand command, Optional<Propose> decision) implements DriverEffect {}

    /** Keep as the settled placement of a layer. */
    record Settle(SettledPlacement placement) implements DriverEffect {}

    /** A person has to look. */
    record Alarm(String text, boolean quarantined) implements DriverEffect {}

    /** Append to the control log. */
    record Answer(ControlAnswer answer) implements DriverEffect {}

    /** An event changed nothing; to be counted. */
    record Ignored(Effect.IgnoreReason reason) implements DriverEffect {}

    /** A window led to no decision; to be told. */
    record Refuse(long window, Verdict.Keep keep) implements DriverEffect {}

    /** A plan is wanted; its result is to come back as {@link DriverEvent.Planned}. */
    record Plan(PlanOrder order) implements DriverEffect {}

    /** A plan is for nothing: one that is being made is not wanted any more, one that came is too late; to be counted. */
    record Drop(PlanOrder order, PlanDrop reason) implements DriverEffect {}
}
