package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Origin;
import dev.plimsoll.model.PlanInputs;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.StepPromise;
import java.util.List;
import java.util.Optional;

/** What can happen to a deployment's decisions. */
public sealed interface Event {
    /**
     * A change that passed the gate.
     *
     * @param basedOn the settled version that it was planned from
     * @param reasons of its layers; speak of exactly the moves of the batches, or are empty
     * @param inputs what it was planned from
     * @param step what it promises in time
     * @param origin who asked for it, and whether a person has to approve it
     */
    record Offer(
            int basedOn,
            List<Batch> batches,
            long windowIndex,
            double currentBalancedness,
            double predictedBalancedness,
            String policy,
            String reason,
            PlanReasons reasons,
            Optional<PlanInputs> inputs,
            Optional<StepPromise> step,
            Origin origin)
            implements Event {
        public Offer {
            batches = List.copyOf(batches);
        }

        /** One of the planner's own, which nobody has to approve. */
        public Offer(
                int basedOn,
                List<Batch> batches,
                long windowIndex,
                double currentBalancedness,
                double predictedBalancedness,
                String policy,
                String reason,
                PlanReasons reasons,
                Optional<PlanInputs> inputs,
                Optional<StepPromise> step) {
            this(
                    basedOn,
                    batches,
                    windowIndex,
                    currentBalancedness,
                    predictedBalancedness,
                    policy,
                    reason,
                    reasons,
                    inputs,
                    step,
                    Origin.PLANNER);
        }

        /** One that does not say what it was planned from, and promises no time. */
        public Offer(
                int basedOn,
                List<Batch> batches,
                long windowIndex,
                double currentBalancedness,
                double predictedBalancedness,
                String policy,
                String reason,
                PlanReasons reasons) {
            this(
                    basedOn,
                    batches,
                    windowIndex,
                    currentBalancedness,
                    predictedBalancedness,
                    policy,
                    reason,
                    reasons,
                    Optional.empty(),
                    Optional.empty());
        }
    }

    /** A rank says something. */
    record Acked(RankAck ack) implements Event {}

    /** Time went on: deadlines may have passed. */
    record TimePassed() implements Event {}

    /**
     * A person approves a decision that waits for it.
     *
     * @param epoch which one was looked at
     */
    record Approved(int epoch) implements Event {}

    /** A person does not want a decision that waits for them. */
    record Rejected(int epoch, String reason) implements Event {}

    /** An operator wants the decision in flight stopped. */
    record OperatorAbort(String reason) implements Event {}

    /**
     * An operator wants ended what does not end by itself: {@link WayOut}.
     *
     * @param sight what is known of the ranks
     */
    record OperatorVoid(Sight sight, String reason) implements Event {}

    /** The deployment's membership, perhaps of a new incarnation. */
    record Began(Membership members) implements Event {}
}
