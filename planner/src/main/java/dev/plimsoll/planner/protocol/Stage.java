package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.PlanCommand.Propose;
import java.util.Optional;

/** Where a deployment's decision stands. */
public sealed interface Stage {
    /** Nothing is in flight. */
    record Idle() implements Stage {}

    /** Offered; waits for all ranks to accept the same hash. */
    record Proposed(Propose decision, Evidence evidence, Due due) implements Stage {
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

    /** Stopped; waits for all ranks to say how far they got. */
    record Aborting(Propose decision, Evidence evidence, Due due, String reason) implements Stage {
        @Override
        public Optional<Propose> inFlight() {
            return Optional.of(decision);
        }

        @Override
        public Optional<Evidence> acks() {
            return Optional.of(evidence);
        }
    }

    /** What the ranks serve is not known: an alarm, and no further decisions until the next incarnation. */
    record Quarantined(Optional<Propose> decision, String reason) implements Stage {
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
