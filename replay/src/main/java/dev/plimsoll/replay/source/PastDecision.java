package dev.plimsoll.replay.source;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Term;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A decision as the plan log tells it.
 *
 * @param proposedAtMillis when it was proposed, by its planner's clock
 * @param term of the planner that proposed it; empty where the log has lost its beginning
 * @param base the placement that its moves start from; empty where the log has lost what leads to it
 * @param permittedAtMillis when the ranks got leave to flip; empty where they did not
 * @param aborted why it was stopped
 * @param end SETTLED or VOID; empty while it is in flight
 * @param endedAtMillis when it ended
 */
public record PastDecision(
        Propose propose,
        long proposedAtMillis,
        Optional<Term> term,
        Optional<Placement> base,
        OptionalLong permittedAtMillis,
        Optional<String> aborted,
        Optional<PlanCommand> end,
        OptionalLong endedAtMillis) {

    static PastDecision of(Dated<?> record, Propose propose, Optional<Term> term, Optional<Placement> base) {
        return new PastDecision(
                propose,
                record.atMillis(),
                term,
                base,
                OptionalLong.empty(),
                Optional.empty(),
                Optional.empty(),
                OptionalLong.empty());
    }

    PastDecision withPermit(long atMillis) {
        return new PastDecision(
                propose, proposedAtMillis, term, base, OptionalLong.of(atMillis), aborted, end, endedAtMillis);
    }

    PastDecision withAbort(String reason) {
        return new PastDecision(
                propose, proposedAtMillis, term, base, permittedAtMillis, Optional.of(reason), end, endedAtMillis);
    }

    PastDecision withEnd(PlanCommand command, long atMillis) {
        return new PastDecision(
                propose,
                proposedAtMillis,
                term,
                base,
                permittedAtMillis,
                aborted,
                Optional.of(command),
                OptionalLong.of(atMillis));
    }

    /** Without what its moves start from, which takes memory. */
    PastDecision withoutBase() {
        return new PastDecision(
                propose, proposedAtMillis, term, Optional.empty(), permittedAtMillis, aborted, end, endedAtMillis);
    }

    public int epoch() {
        return propose.epoch();
    }

    /** The newest window that it was planned from. */
    public long windowIndex() {
        return propose.windowIndex();
    }

    /** Batches that are in the placement; 0 while none is known to be. */
    public int batchesFlipped() {
        return end.filter(Settled.class::isInstance)
                .map(settled -> ((Settled) settled).batchesFlipped())
                .orElse(0);
    }

    /** Slots that got another expert. */
    public int movesFlipped() {
        return propose.batches().stream()
                .limit(batchesFlipped())
                .map(Batch::moves)
                .mapToInt(moves -> moves.size())
                .sum();
    }

    /** Newest window that its planner had seen when it ended; empty where the log does not say. */
    public OptionalLong lastWindow() {
        PlanCommand command = end.orElse(null);
        if (command instanceof Settled settled) {
            return settled.lastWindow();
        }
        return command instanceof PlanCommand.Void voided ? voided.lastWindow() : OptionalLong.empty();
    }

    /** How it ended, a few words. */
    public String fate() {
        PlanCommand command = end.orElse(null);
        if (command instanceof Settled settled) {
            return settled.complete()
                    ? "settled"
                    : "settled up to batch " + settled.batchesFlipped() + " of "
                            + propose.batches().size()
                            + aborted.map(reason -> " (" + reason + ")").orElse("");
        }
        if (command instanceof PlanCommand.Void voided) {
            return "void (" + voided.reason() + ")";
        }
        return aborted.map(reason -> "aborting (" + reason + ")").orElse("in flight");
    }
}
