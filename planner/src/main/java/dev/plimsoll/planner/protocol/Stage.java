package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand.Propose;
import java.util.Optional;

/** Where a deployment's decision stands. */
public sealed interface Stage {
    /** Nothing is in flight. */
    record Idle() implements Stage {}

    /**
     * Offered; waits for all ranks to accept the same hash, and for a person's approval where that is asked for. In what order they come
     * does not matter; once all ranks have accepted, the person alone is late.
     */
    record Proposed(Propose decision, Evidence evidence, Due due, Approval approval) implements Stage {
        /** One that waits for no person. */
        public Proposed(Propose decision, Evidence evidence, Due due) {
            this(decision, evidence, due, Approval.NONE);
        }

        @Override
        public Optional<Propose> inFlight() {
            return Optional.of(decision);
        }

        @Override
        public Optional<Evidence> acks() {
            return Optional.of(evidence);
        }
    }

    /** Permitted; ranks transfer and flip. What is due is the next flip. */
    record Running(Propose decision, Evidence evidence, Due due) implements Stage {
        @Override
        public Optional<Propose> inFlight() {
            return Optional.of(decision);
        }

        @Override
        public Optional<Evidence> acks() {
            return Optional.of(evidence);
        }
    }

    /**
     * Stopped; waits for all ranks to say how far they got.
     *
     * @param permitted whether ranks had leave to flip
     */
    record Aborting(Propose decision, Evidence evidence, Due due, String reason, boolean permitted) implements Stage {
        @Override
        public Optional<Propose> inFlight() {
            return Optional.of(decision);
        }

        @Override
        public Optional<Evidence> acks() {
            return Optional.of(evidence);
        }
    }

    /**
     * What the ranks serve is not known: an alarm, and no further decisions until windows show what they serve and a person has looked
     * ({@link WayOut}), or until the next incarnation.
     *
     * @param decision stopped, and without an end
     * @param unlike whether what was kept as the settled placement is not what the plan log settled
     * @param logged what the plan log settled, where that is so and the log still tells
     */
    record Quarantined(Optional<Propose> decision, String reason, boolean unlike, Optional<Placement> logged)
            implements Stage {
        /** One whose ranks, and not whose records, contradict each other. */
        public Quarantined(Optional<Propose> decision, String reason) {
            this(decision, reason, false, Optional.empty());
        }

        @Override
        public Optional<Propose> inFlight() {
            return decision;
        }
    }

    /** The decision that has no end in the log yet. */
    default Optional<Propose> inFlight() {
        return Optional.empty();
    }

    /** What the ranks have said of it, where that still counts. */
    default Optional<Evidence> acks() {
        return Optional.empty();
    }
}
