package dev.plimsoll.replay.source;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanCommand.Settled;
import dev.plimsoll.model.PlanCommand.Term;
import dev.plimsoll.planner.KnownPlacements;
import dev.plimsoll.planner.protocol.PlanLog;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One incarnation's plan log, read along with its windows: for every window the decisions made before it, up to the next one. Holds
 * the newest placements and the terms, and hands every decision on when the log has told its end. Pure but for where the commands come
 * from.
 */
public final class PastPlan {
    private static final int MOST_TOLD = 64;

    private final Membership members;
    private final Supplier<Optional<Dated<PlanCommand>>> commands;
    private final Optional<Placement> kept;
    private final KnownPlacements known;
    private final SortedMap<Long, Dated<Term>> terms = new TreeMap<>();
    private final Deque<PastDecision> told = new ArrayDeque<>();
    private final Set<Integer> mismatched = new HashSet<>();
    private Optional<Dated<PlanCommand>> next = Optional.empty();
    private Optional<PastDecision> open = Optional.empty();
    private boolean begun;
    private boolean lostItsBeginning;
    private boolean ended;
    private Consumer<PastDecision> passedOver = decision -> {};

    /**
     * @param commands of the deployment, in the order of the log, from its beginning on; empty at the end
     * @param kept the settled placement that is kept besides the log
     */
    public PastPlan(Membership members, Supplier<Optional<Dated<PlanCommand>>> commands, Optional<Placement> kept) {
        this.members = members;
        this.commands = commands;
        this.kept = kept;
        this.known = new KnownPlacements(new PlanLog(), members, members.start());
        kept.ifPresent(known::settle);
    }

    KnownPlacements known() {
        return known;
    }

    /** The placement that settled under a version. */
    public Optional<Placement> settled(int version) {
        return known.of(PlacementState.settled(version));
    }

    /** Terms by number, as far as the log was read. */
    public SortedMap<Long, Dated<Term>> terms() {
        return terms;
    }

    /** Reads on until the next decision is one on a later window than this. */
    public void advanceThrough(long windowIndex) {
        while (peek().isPresent()) {
            if (peek().orElseThrow().value() instanceof Propose propose
                    && ofIncarnation(propose)
                    && propose.windowIndex() > windowIndex) {
                return;
            }
            Dated<PlanCommand> record = peek().orElseThrow();
            next = Optional.empty();
            apply(record);
        }
        finish();
    }

    /** Reads the rest. */
    public void advanceToEnd() {
        advanceThrough(Long.MAX_VALUE);
    }

    /**
     * Whoever is told at once of decisions of which more than the newest {@value #MOST_TOLD} come together, which are too many to be held:
     * {@link #takeTold} does not have them.
     */
    public void onPassedOver(Consumer<PastDecision> listener) {
        passedOver = listener;
    }

    /** Decisions of which all is told, since the last call; the one in flight at the end of the log is the last one. */
    public List<PastDecision> takeTold() {
        List<PastDecision> taken = List.copyOf(told);
        told.clear();
        return taken;
    }

    /** The first decision on a later window than those that were read through; empty when there is none any more. */
    public Optional<Propose> nextDecision() {
        return peek().map(Dated::value).filter(Propose.class::isInstance).map(Propose.class::cast);
    }

    /** Whether the log, as far as it was read, begins with what must have had commands of this incarnation before it. */
    public boolean lostItsBeginning() {
        return lostItsBeginning;
    }

    /** Whether a version settled whose hash is not that of the placement that the log's moves lead to. */
    public boolean mismatched(int version) {
        return mismatched.contains(version);
    }

    private Optional<Dated<PlanCommand>> peek() {
        if (next.isEmpty() && !ended) {
            next = commands.get();
            ended = next.isEmpty();
        }
        return next;
    }

    private boolean ofIncarnation(PlanCommand command) {
        return command.header().incarnation() == members.incarnation();
    }

    private void apply(Dated<PlanCommand> record) {
        PlanCommand command = record.value();
        if (!begun) {
            begun = true;
            // Numbers are dense over incarnations: behind a command of an earlier one, all of this one is there.
            lostItsBeginning = ofIncarnation(command) && command.header().number() > 1;
        }
        if (command instanceof Term term) {
            terms.put(term.header().term(), new Dated<>(term, record.offset(), record.atMillis()));
        } else if (!ofIncarnation(command)) {
            return;
        } else if (command instanceof Propose propose) {
            finish();
            Optional<Term> term =
                    Optional.ofNullable(terms.get(propose.header().term())).map(Dated::value);
            open = Optional.of(PastDecision.of(record, propose, term, settled(propose.basedOn())));
            known.propose(propose);
        } else if (command instanceof PlanCommand.Permit) {
            open = open.map(decision -> decision.withPermit(record.atMillis()));
        } else if (command instanceof PlanCommand.Abort abort) {
            open = open.map(decision -> decision.withAbort(abort.reason()));
        } else if (command instanceof Settled end) {
            settle(end);
            open = open.map(
                    decision -> decision.epoch() == end.epoch() ? decision.withEnd(end, record.atMillis()) : decision);
            finish();
        } else if (command instanceof PlanCommand.Void end) {
            open = open.map(
                    decision -> decision.epoch() == end.epoch() ? decision.withEnd(end, record.atMillis()) : decision);
            finish();
        }
    }

    private void settle(Settled end) {
        Optional<Placement> after = open.filter(decision -> decision.epoch() == end.epoch())
                .flatMap(decision -> decision.base()
                        .map(base -> PlanLog.after(decision.propose(), end.batchesFlipped(), base, end.epoch())));
        if (after.isPresent() && after.orElseThrow().hash() != end.placementHash()) {
            mismatched.add(end.epoch());
            return;
        }
        // A log that has lost its beginning may still be followed from what is kept besides it.
        after.or(() -> kept.filter(
                        placement -> placement.version() == end.epoch() && placement.hash() == end.placementHash()))
                .ifPresent(known::settle);
    }

    private void finish() {
        open.ifPresent(told::addLast);
        open = Optional.empty();
        if (told.size() > MOST_TOLD) {
            passedOver.accept(told.removeFirst());
        }
    }
}
