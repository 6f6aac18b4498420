package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.SettledPlacement;

/** What has to be done because of an event; all of one transition in one transaction, in order. */
public sealed interface Effect {
    /** Append to the plan log. */
    record Write(PlanCommand command) implements Effect {}

    /** Keep as the settled placement of a layer. */
    record Settle(SettledPlacement placement) implements Effect {}

    /** A person has to look. */
    record Alarm(String text) implements Effect {}

    /** Nothing changes; to be counted. */
    record Ignored(IgnoreReason reason) implements Effect {}

    /** Why an event changed nothing. */
    enum IgnoreReason {
        /** It was said before. */
        DUPLICATE,
        /** Of a decision that has ended. */
        OLD_EPOCH,
        /** Of a decision that was never made. */
        UNKNOWN_EPOCH,
        FOREIGN_INCARNATION,
        UNKNOWN_RANK,
        /** Of a batch that the decision does not have. */
        UNKNOWN_BATCH,
        /** Planned from a version that is not settled any more, or while another decision is in flight. */
        STALE_OFFER,
        /** Of a deployment in quarantine. */
        QUARANTINED,
        /** A person's word on a decision that does not wait for it, or a wish that cannot be met. */
        NOT_AWAITED
    }
}
