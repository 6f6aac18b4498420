package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import java.util.List;

/** What can happen to a deployment's decisions. */
public sealed interface Event {
    /**
     * A change that passed the gate.
     *
     * @param basedOn the settled version that it was planned from
     * @param reasons of its layers; speak of exactly the moves of the batches, or are empty
     */
    record Offer(
            int basedOn,
            List<Batch> batches,
            long windowIndex,
            double currentBalancedness,
            double predictedBalancedness,
            String policy,
            String reason,
            PlanReasons reasons)
            implements Event {
        public Offer {
            batches = List.copyOf(batches);
        }
    }

    /** A rank says something. */
    record Acked(RankAck ack) implements Event {}

    /** Time went on: deadlines may have passed. */
    record TimePassed() implements Event {}

    /** An operator wants the decision in flight stopped. */
    record OperatorAbort(String reason) implements Event {}

    /** The deployment's membership, perhaps of a new incarnation. */
    record Began(Membership members) implements Event {}
}
