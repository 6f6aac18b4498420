package dev.plimsoll.planner;

import dev.plimsoll.model.ControlRecord;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.Event;
import dev.plimsoll.planner.protocol.Sight;
import java.util.Optional;

/** What can happen to a {@link DecisionDriver}. */
public sealed interface DriverEvent {
    /** An ack, a new membership, an operator's word, or passing time. */
    record Happened(Event event) implements DriverEvent {}

    /**
     * The next window with all its parts, in the order of the log: behind a jump its index may be lower than the last one's.
     *
     * @param unfit why nothing can be decided on it; empty where something can
     */
    record Window(long index, Optional<Verdict.Keep> unfit) implements DriverEvent {}

    /** There are no more windows for now: the newest is to be decided on, once. */
    record Look() implements DriverEvent {}

    /**
     * A plan is made.
     *
     * @param policy whose it is
     * @param inputs what it was made from
     */
    record Planned(PlanOrder order, Verdict verdict, String policy, Optional<PlanInputs> inputs)
            implements DriverEvent {}

    /** The next record of the control log. */
    record Controlled(ControlRecord record) implements DriverEvent {}

    /**
     * The oldest command without an answer is to be answered.
     *
     * @param sight what is known of the ranks
     * @param wayBack of a rollback, what the way to its placement comes to; empty for any other command
     */
    record Answering(Sight sight, Optional<Verdict> wayBack) implements DriverEvent {}

    /** A plan that was ordered was not begun, and is not wanted any more: there is a newer window. */
    record Superseded(PlanOrder order) implements DriverEvent {}

    /**
     * Windows have shown that the settled placement is worse than the one before it.
     *
     * @param version that is settled
     * @param before what to go back to
     */
    record Worse(int version, PlanTarget before) implements DriverEvent {}

    /** The windows so far are forgotten. */
    record Forgotten() implements DriverEvent {}
}
