package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Void;
import dev.plimsoll.model.PlanRestart;
import java.util.ArrayDeque;
import java.util.Deque;
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
    /** Placements that are remembered of an incarnation; windows and measurements look back on a few. */
    public static final int MOST_DECISIONS = 32;

    /** @param base what was settled when it was proposed; empty where the log has lost how that came about */
    private record Decision(int epoch, long offset, Optional<Placement> base, boolean fruitless) {}

    private final Deque<Decision> decisions = new ArrayDeque<>();
    private Membership members;
    private Optional<Placement> settled;
    private Optional<Propose> inFlight = Optional.empty();
    private long term;
    private long number;
    private int lastEpoch;
    private long upTo;

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
        upTo = offset + 1;
        if (command instanceof Propose propose) {
            propose(propose, offset);
        } else if (command instanceof Settled end) {
            Optional<Placement> before = settled;
            settled = inFlight.filter(decision -> decision.epoch() == end.epoch())
                    .flatMap(decision ->
                            before.map(base -> PlanLog.after(decision, end.batchesFlipped(), base, end.epoch())))
                    .or(() -> kept.apply(end.epoch()));
            inFlight = Optional.empty();
        } else if (command instanceof Void end) {
            inFlight = Optional.empty();
            if (!decisions.isEmpty() && decisions.getLast().epoch() == end.epoch()) {
                Decision last = decisions.removeLast();
                decisions.addLast(new Decision(last.epoch(), last.offset(), last.base(), true));
            }
        }
    }

    private void propose(Propose propose, long offset) {
        if (!decisions.isEmpty() && decisions.getLast().fruitless()) {
            decisions.removeLast();
        }
        settled = settled.filter(placement -> placement.version() == propose.basedOn());
        decisions.addLast(new Decision(propose.epoch(), offset, settled, false));
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
        while (decisions.size() > 1 && !needsFirst(oldest)) {
            decisions.removeFirst();
        }
        if (decisions.isEmpty()) {
            return settled.map(base -> new Restart(
                    new PlanRestart(position, position, position, base.version(), term, number, lastEpoch), base));
        }
        Decision first = decisions.getFirst();
        return first.base()
                .map(base -> new Restart(
                        new PlanRestart(first.offset(), upTo, position, base.version(), term, number, lastEpoch),
                        base));
    }

    /** Whether what was settled before the second decision is too young. */
    private boolean needsFirst(OptionalInt oldest) {
        Decision second = decisions.stream().skip(1).findFirst().orElseThrow();
        return oldest.isPresent()
                && second.base().map(Placement::version).orElse(Integer.MAX_VALUE) > oldest.getAsInt();
    }

    /** @param base what was settled at its first offset */
    public record Restart(PlanRestart at, Placement base) {}
}
