package dev.plimsoll.planner;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.PlanCommand.Propose;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How far the acks of one partition were read when each decision in flight was proposed: all that ranks say of a decision stands from
 * there on, whatever the clocks of who wrote it said. For one thread.
 */
final class AckPositions {
    private record Proposed(int epoch, long position) {}

    private final Map<Deployment, Proposed> inFlight = new HashMap<>();
    private long read;

    /** What stands before the offset has been read, or is of no decision that is in flight. */
    void reached(long offset) {
        read = Math.max(read, offset);
    }

    /** A successor has read up to the end of the log; where that is before what its predecessor knew, it is another log. */
    void readToEnd(long end) {
        inFlight.replaceAll(
                (deployment, decision) -> decision.position() > end ? new Proposed(decision.epoch(), 0) : decision);
        read = end;
    }

    /** Notes what is in flight, before anybody can have heard of it. */
    void look(Deployment deployment, Optional<Propose> decision) {
        inFlight.compute(
                deployment,
                (key, before) -> decision.map(Propose::epoch)
                        .map(epoch -> before != null && before.epoch() == epoch ? before : new Proposed(epoch, read))
                        .orElse(null));
    }

    /** From where a successor has to read; empty when nothing is in flight. */
    OptionalLong oldest() {
        return inFlight.values().stream().mapToLong(Proposed::position).min();
    }
}
