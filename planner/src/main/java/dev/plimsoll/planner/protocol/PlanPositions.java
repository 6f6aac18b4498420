package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Void;
import dev.plimsoll.model.PlanRestart;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntFunction;

/**
 * Where the commands of one deployment stand in the plan log: the fold, with offsets, from which follows where a successor has to read.
 *
 * <p>Follows the log as it is read back, so it says nothing of what is being written; that stands behind everything it knows, and
 * whoever reads on from there finds it. Not for more than one thread.
 */
public final class PlanPositions {
    /** Decisions that are remembered at most; who looks back on more than that is content with what there is. */
    public static final int MOST_DECISIONS = 32;

    /** Stretches that are as near to each other are read as one. */
    private static final long NEAR = 64;

    /** Policy of decisions that take back another. */
    private static final String ROLLBACK = "rollback";

    /**
     * One decision of the incarnation.
     *
     * @param offset of its proposal
     * @param upTo behind its last command
     * @param base what was settled when it was proposed; empty where the log has lost how that came about
     * @param rollback whether it takes back another
     * @param settled whether it has, if only in part
     */
    private record Decision(long offset, long upTo, Optional<Placement> base, boolean rollback, boolean settled) {
        Decision until(long behind, boolean hasSettled) {
            return new Decision(offset, behind, base, rollback, hasSettled);
        }

        boolean progress() {
            return settled && !rollback;
        }
    }

    private final Deque<Decision> decisions = new ArrayDeque<>();
    private Membership members;
    private Optional<Placement> settled;
    private Optional<Propose> inFlight = Optional.empty();
    private long term;
    private long number;
    private int lastEpoch;

    /** Of a log of which nothing has been read. */
    public PlanPositions(Membership members) {
        this.members = members;
        this.settled = Optional.of(members.start());
    }

    /**
     * Of a log that is read on from a restart.
     *
     * @param base what was settled there, where it was in this incarnation
     */
    public PlanPositions(Membership members, PlanRestart restart, Optional<Placement> base) {
        this(members);
        base.ifPresent(placement -> settled = Optional.of(placement));
        term = restart.term();
        number = restart.number();
        lastEpoch = restart.lastEpoch();
    }

    public Membership members() {
        return members;
    }

    /** A later incarnation begins; what was in flight is ended by commands that have not been read yet. */
    public void began(Membership later) {
        if (later.incarnation() > members.incarnation()) {
            members = later;
            settled = Optional.of(later.start());
            inFlight = Optional.empty();
            decisions.clear();
        }
    }

    /**
     * The deployment's next command.
     *
     * @param kept the placement of a version, where somebody has kept it: for logs that have lost how it came about
     */
    public void add(PlanCommand command, long offset, IntFunction<Optional<Placement>> kept) {
        term = Math.max(term, command.header().term());
        number = Math.max(number, command.header().number());
        if (command instanceof Propose propose) {
            lastEpoch = Math.max(lastEpoch, propose.epoch());
        }
        if (command.header().incarnation() != members.incarnation() || command instanceof PlanCommand.Term) {
            return;
        }
        if (command instanceof Propose propose) {
            propose(propose, offset);
            return;
        }
        if (!decisions.isEmpty()) {
            decisions.addLast(decisions.removeLast().until(offset + 1, command instanceof Settled));
        }
        if (command instanceof Settled end) {
            Optional<Placement> before = settled;
            settled = inFlight.filter(decision -> decision.epoch() == end.epoch())
                    .flatMap(decision ->
                            before.map(base -> PlanLog.after(decision, end.batchesFlipped(), base, end.epoch())))
                    .or(() -> kept.apply(end.epoch()));
            inFlight = Optional.empty();
        } else if (command instanceof Void) {
            inFlight = Optional.empty();
        }
    }

    private void propose(Propose propose, long offset) {
        settled = settled.filter(placement -> placement.version() == propose.basedOn());
        decisions.addLast(
                new Decision(offset, offset + 1, settled, propose.policy().equals(ROLLBACK), false));
        inFlight = Optional.of(propose);
        if (decisions.size() > MOST_DECISIONS) {
            decisions.removeFirst();
        }
    }

    /**
     * Where a successor has to read; empty where that is not known, and so from the beginning.
     *
     * @param position behind the last record of the log that was read, of whatever deployment
     * @param oldest the lowest settled version that somebody looks back on besides the newest decision; empty for none
     */
    public Optional<Restart> restart(long position, OptionalInt oldest) {
        while (decisions.size() > 1 && (decisions.getFirst().base().isEmpty() || !needsFirst(oldest))) {
            decisions.removeFirst();
        }
        Optional<Placement> base =
                decisions.isEmpty() ? settled : decisions.getFirst().base();
        return base.map(placement -> new Restart(
                new PlanRestart(stretches(), position, placement.version(), term, number, lastEpoch), placement));
    }

    private LongVector stretches() {
        List<Long> bounds = new ArrayList<>();
        for (Decision decision : decisions) {
            if (!bounds.isEmpty() && decision.offset() - bounds.get(bounds.size() - 1) <= NEAR) {
                bounds.set(bounds.size() - 1, decision.upTo());
            } else {
                bounds.add(decision.offset());
                bounds.add(decision.upTo());
            }
        }
        return LongVector.of(bounds.stream().mapToLong(Long::longValue).toArray());
    }

    /**
     * Whether somebody looks back on what was settled before the second decision, or counts from the first: that decisions come to nothing,
     * or are taken back, ends with two in a row that do not.
     */
    private boolean needsFirst(OptionalInt oldest) {
        Iterator<Decision> later = decisions.iterator();
        later.next();
        Decision second = later.next();
        if (oldest.isPresent() && second.base().map(Placement::version).orElse(Integer.MAX_VALUE) > oldest.getAsInt()) {
            return true;
        }
        boolean before = second.progress();
        while (later.hasNext()) {
            boolean next = later.next().progress();
            if (before && next) {
                return false;
            }
            before = next;
        }
        return true;
    }

    /** @param base what was settled before its first stretch */
    public record Restart(PlanRestart at, Placement base) {}
}
