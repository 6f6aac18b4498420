package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.PlanHash;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.planner.protocol.Effect.IgnoreReason;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * The rules by which a plan becomes a settled placement, at the planner.
 *
 * <p>IDLE → PROPOSED on a plan that passed the gate → RUNNING when all ranks accepted the same hash → IDLE with a new settled
 * version when all ranks flipped the last batch. Anything else (a refusal, a passed deadline, an operator) leads to ABORTING and
 * from there, when all ranks have said the same, to the prefix that was flipped or to nothing; when they disagree, or do not
 * say, to QUARANTINED. A new incarnation voids what is in flight and begins where its membership says that
 * its engine does, at version 0; epochs go on.
 *
 * <p>What the planner wrote is not what the ranks did: only acks move a decision on. Stateless; the methods that tests override
 * are each a rule that safety rests on.
 */
public class DecisionProtocol {
    private static final String UNLIKE = "is not the one that the plan log ends with";

    private final Patience patience;
    private final String planner;
    private final String settings;

    /** @param planner who we are, for people who read the log */
    public DecisionProtocol(Patience patience, String planner) {
        this(patience, planner, "");
    }

    /**
     * The same.
     *
     * @param settings how we decide, for whoever wants to decide again; what every term begins with
     */
    public DecisionProtocol(Patience patience, String planner, String settings) {
        this.patience = patience;
        this.planner = planner;
        this.settings = settings;
    }

    /**
     * The first transition of a reign: TERM, then whatever a predecessor left undone. Acks written since the last PROPOSE are to
     * be applied after it; those of others change nothing.
     *
     * @param kept the deployment's settled placement records, last one per layer; empty before the first incarnation
     */
    public Transition takeOver(PlanLog log, List<SettledPlacement> kept, Membership members, Moment now) {
        return takeOver(log, kept, members, epoch -> false, now);
    }

    /**
     * The same where people may have spoken before.
     *
     * @param approved whether an epoch's decision was approved; that is in another log than the plan's
     */
    public Transition takeOver(
            PlanLog log, List<SettledPlacement> kept, Membership members, IntPredicate approved, Moment now) {
        LastSettled last = new LastSettled(log, kept, members, this::idle);
        Placement settled = last.kept().orElseGet(() -> start(members));
        Steps steps = new Steps(
                new PlannerState(members, settled, log.term(), log.number(), log.lastEpoch(), new Stage.Idle()));
        if (announcesTerm(log)) {
            steps.beginTerm(planner, settings);
        }
        Optional<Propose> inFlight = log.inFlight();
        boolean foreign =
                inFlight.isPresent() && inFlight.orElseThrow().header().incarnation() != members.incarnation();
        if (foreign) {
            steps.writeVoid(inFlight.orElseThrow(), "incarnation " + members.incarnation() + " began");
        }
        if (last.begins()) {
            steps.settle(settled);
        }
        if (!last.agrees()) {
            if (inFlight.isPresent() && !foreign && log.abortReason().isEmpty()) {
                abort(steps, inFlight.orElseThrow(), UNLIKE);
            }
            return steps.quarantine(new Stage.Quarantined(
                    foreign ? Optional.empty() : inFlight,
                    "the settled placement kept for incarnation " + members.incarnation() + " " + UNLIKE,
                    true,
                    last.logged()));
        }
        if (inFlight.isPresent() && !foreign) {
            Propose decision = inFlight.orElseThrow();
            Evidence none = Evidence.none(members.topology().ranks());
            if (log.abortReason().filter(Unasked::is).isPresent()) {
                return steps.quarantine(
                        new Stage.Quarantined(inFlight, log.abortReason().orElseThrow()));
            }
            // Deadlines begin anew: the outage that ended the predecessor may have held up the acks too.
            if (log.abortReason().isPresent()) {
                steps.stage(new Stage.Aborting(
                        decision,
                        none,
                        patience.toStop(steps.state().members(), now),
                        log.abortReason().orElseThrow(),
                        log.permitted()));
            } else if (log.permitted()) {
                steps.stage(new Stage.Running(
                        decision, none, patience.toFlip(steps.state().members(), now)));
            } else {
                steps.stage(new Stage.Proposed(
                        decision,
                        none,
                        patience.toAccept(steps.state().members(), now),
                        approval(decision, approved.test(decision.epoch()), now)));
            }
        }
        return steps.done();
    }

    private Approval approval(Propose decision, boolean given, Moment now) {
        return decision.origin().needsApproval() && !given ? patience.toApprove(now) : Approval.NONE;
    }

    /** What follows from an event. */
    public Transition apply(PlannerState state, Event event, Moment now) {
        Steps steps = new Steps(state);
        if (event instanceof Event.Offer offer) {
            return propose(steps, offer, now);
        }
        if (event instanceof Event.Acked acked) {
            return acked(steps, acked.ack(), now);
        }
        if (event instanceof Event.Began began) {
            return began(steps, began.members());
        }
        if (event instanceof Event.Approved approved) {
            return approved(steps, approved.epoch(), now);
        }
        if (event instanceof Event.Rejected rejected) {
            return awaited(state, rejected.epoch()).isPresent()
                    ? stop(steps, "rejected: " + rejected.reason(), now)
                    : steps.ignored(IgnoreReason.NOT_AWAITED);
        }
        if (event instanceof Event.OperatorAbort abort) {
            return stop(steps, "operator: " + abort.reason(), now);
        }
        if (event instanceof Event.OperatorVoid asked) {
            return end(steps, asked);
        }
        return timePassed(steps, now);
    }

    private Transition propose(Steps steps, Event.Offer offer, Moment now) {
        PlannerState state = steps.state();
        if (!(state.stage() instanceof Stage.Idle)
                || offer.basedOn() != state.settled().version()) {
            return steps.ignored(IgnoreReason.STALE_OFFER);
        }
        int epoch = nextEpoch(state);
        Propose decision = new Propose(
                steps.nextHeader(state.members().incarnation()),
                epoch,
                offer.basedOn(),
                PlanHash.of(state.settled().withBatches(epoch, offer.batches()), offer.batches()),
                offer.batches(),
                offer.windowIndex(),
                offer.currentBalancedness(),
                offer.predictedBalancedness(),
                offer.policy(),
                offer.reason(),
                offer.reasons(),
                offer.inputs(),
                offer.step(),
                offer.origin());
        steps.write(decision);
        steps.epochUsed(epoch);
        return steps.stage(new Stage.Proposed(
                        decision,
                        Evidence.none(state.members().topology().ranks()),
                        patience.toAccept(steps.state().members(), now),
                        approval(decision, false, now)))
                .done();
    }

    /** The decision that waits for a person, if it is that one. */
    private static Optional<Stage.Proposed> awaited(PlannerState state, int epoch) {
        return state.stage() instanceof Stage.Proposed proposed
                        && proposed.decision().epoch() == epoch
                        && proposed.approval().awaited()
                ? Optional.of(proposed)
                : Optional.empty();
    }

    private Transition approved(Steps steps, int epoch, Moment now) {
        Optional<Stage.Proposed> awaited = awaited(steps.state(), epoch);
        if (awaited.isEmpty()) {
            return steps.ignored(IgnoreReason.NOT_AWAITED);
        }
        Stage.Proposed proposed = awaited.orElseThrow();
        steps.stage(new Stage.Proposed(proposed.decision(), proposed.evidence(), proposed.due(), Approval.NONE));
        return mayPermit(proposed.evidence())
                ? permit(steps, proposed.decision(), proposed.evidence(), now)
                : steps.done();
    }

    /** What an operator wants ended, where it is known how it ends. */
    private Transition end(Steps steps, Event.OperatorVoid asked) {
        if (!(wayOut(steps.state(), asked.sight()) instanceof WayOut.End end)) {
            return steps.ignored(IgnoreReason.NOT_AWAITED);
        }
        Stage stage = steps.state().stage();
        Optional<Placement> logged =
                stage instanceof Stage.Quarantined quarantined ? quarantined.logged() : Optional.empty();
        logged.ifPresent(steps::base);
        Optional<Propose> decision = stage.inFlight();
        if (end.batches() > 0) {
            return settle(steps, decision.orElseThrow(), end.batches());
        }
        decision.ifPresent(ended -> steps.writeVoid(ended, "operator: " + asked.reason() + "; " + end.because()));
        logged.ifPresent(steps::settle);
        return steps.stage(new Stage.Idle()).done();
    }

    private Transition acked(Steps steps, RankAck ack, Moment now) {
        PlannerState state = steps.state();
        if (ack.incarnation() != state.members().incarnation()) {
            return steps.ignored(IgnoreReason.FOREIGN_INCARNATION);
        }
        if (ack.rank().index() >= state.members().topology().ranks()) {
            return steps.ignored(IgnoreReason.UNKNOWN_RANK);
        }
        if (ack.epoch() > state.lastEpoch()) {
            return steps.ignored(IgnoreReason.UNKNOWN_EPOCH);
        }
        if (state.stage() instanceof Stage.Quarantined) {
            return steps.ignored(IgnoreReason.QUARANTINED);
        }
        Optional<Propose> inFlight = state.stage().inFlight();
        if (inFlight.isEmpty() || inFlight.orElseThrow().epoch() != ack.epoch()) {
            return steps.ignored(IgnoreReason.OLD_EPOCH);
        }
        Propose decision = inFlight.orElseThrow();
        if (ack.batch() > decision.batches().size()) {
            return steps.ignored(IgnoreReason.UNKNOWN_BATCH);
        }
        return weigh(steps, decision, ack, now);
    }

    private Transition weigh(Steps steps, Propose decision, RankAck ack, Moment now) {
        Stage stage = steps.state().stage();
        switch (ack.kind()) {
            case REFUSED -> {
                return stop(steps, ack.summary(), now);
            }
            case FATAL -> {
                steps.alarm(ack.summary());
                return stop(steps, ack.summary(), now);
            }
            case ACCEPTED -> {
                if (ack.planHash() != decision.planHash()) {
                    return stop(steps, ack.rank() + " accepted another plan under this epoch", now);
                }
            }
            case FLIPPED -> {
                if (ack.planHash() != decision.planHash() || !permitted(stage)) {
                    String reason = Unasked.reason(ack);
                    if (!(stage instanceof Stage.Aborting)) {
                        // The other ranks might go on, while nobody listens to what they say of it.
                        abort(steps, decision, reason);
                    }
                    return steps.quarantine(new Stage.Quarantined(Optional.of(decision), reason));
                }
            }
            case ABORTED -> {}
        }
        Evidence before = stage.acks().orElseThrow();
        Evidence evidence = before.plus(ack);
        if (evidence.equals(before)) {
            return steps.ignored(IgnoreReason.DUPLICATE);
        }
        if (stage instanceof Stage.Proposed proposed) {
            steps.stage(new Stage.Proposed(decision, evidence, proposed.due(), proposed.approval()));
            if (ack.kind() == RankAck.Kind.ABORTED) {
                return stop(steps, ack.summary(), now);
            }
            return mayPermit(evidence) && !waits(proposed.approval())
                    ? permit(steps, decision, evidence, now)
                    : steps.done();
        }
        if (stage instanceof Stage.Running) {
            steps.stage(new Stage.Running(
                    decision, evidence, patience.toFlip(steps.state().members(), now)));
            if (ack.kind() == RankAck.Kind.ABORTED) {
                return stop(steps, ack.summary(), now);
            }
            int last = decision.batches().size();
            return allFlipped(evidence, last) ? settle(steps, decision, last) : steps.done();
        }
        Stage.Aborting aborting = (Stage.Aborting) stage;
        steps.stage(new Stage.Aborting(decision, evidence, aborting.due(), aborting.reason(), aborting.permitted()));
        return endOfAbort(steps, decision, evidence, aborting.reason());
    }

    /** Whether ranks have leave to flip, or had it before they were stopped. */
    private static boolean permitted(Stage stage) {
        return stage instanceof Stage.Running || (stage instanceof Stage.Aborting aborting && aborting.permitted());
    }

    private Transition permit(Steps steps, Propose decision, Evidence evidence, Moment now) {
        steps.write(new PlanCommand.Permit(
                steps.nextHeader(decision.header().incarnation()), decision.epoch(), decision.planHash()));
        return steps.stage(new Stage.Running(
                        decision, evidence, patience.toFlip(steps.state().members(), now)))
                .done();
    }

    /** Stops what is in flight; one that is stopping already goes on stopping. */
    private Transition stop(Steps steps, String reason, Moment now) {
        Stage stage = steps.state().stage();
        if (!(stage instanceof Stage.Proposed || stage instanceof Stage.Running)) {
            return steps.ignored(IgnoreReason.DUPLICATE);
        }
        Propose decision = stage.inFlight().orElseThrow();
        Evidence evidence = stage.acks().orElseThrow();
        abort(steps, decision, reason);
        steps.stage(new Stage.Aborting(
                decision,
                evidence,
                patience.toStop(steps.state().members(), now),
                reason,
                stage instanceof Stage.Running));
        return endOfAbort(steps, decision, evidence, reason);
    }

    private static void abort(Steps steps, Propose decision, String reason) {
        steps.write(new PlanCommand.Abort(steps.nextHeader(decision.header().incarnation()), decision.epoch(), reason));
    }

    private Transition endOfAbort(Steps steps, Propose decision, Evidence evidence, String reason) {
        int last = decision.batches().size();
        if (disagree(evidence, last)) {
            return steps.quarantine(new Stage.Quarantined(
                    Optional.of(decision),
                    "ranks disagree about decision " + decision.epoch() + ": flipped " + evidence.flipped()
                            + ", aborted after " + evidence.aborted()));
        }
        OptionalInt flipped = commonEnd(evidence, last);
        if (flipped.isEmpty()) {
            return steps.done();
        }
        if (flipped.getAsInt() > 0) {
            return settle(steps, decision, flipped.getAsInt());
        }
        steps.writeVoid(decision, reason);
        return steps.stage(new Stage.Idle()).done();
    }

    private static Transition settle(Steps steps, Propose decision, int batches) {
        Placement settled = PlanLog.after(decision, batches, steps.state().settled(), decision.epoch());
        steps.write(new PlanCommand.Settled(
                steps.nextHeader(decision.header().incarnation()),
                decision.epoch(),
                batches,
                batches == decision.batches().size(),
                settled.hash()));
        steps.settle(settled);
        return steps.stage(new Stage.Idle()).done();
    }

    private Transition timePassed(Steps steps, Moment now) {
        Stage stage = steps.state().stage();
        if (stage instanceof Stage.Proposed proposed
                && waits(proposed.approval())
                && now.millis() >= proposed.approval().untilMillis()) {
            return stop(steps, "nobody approved it in time", now);
        }
        if (stage instanceof Stage.Proposed proposed
                && !mayPermit(proposed.evidence())
                && isOver(proposed.due(), now)) {
            return stop(
                    steps,
                    proposed.evidence().acceptedCount() + " of "
                            + proposed.evidence().ranks() + " ranks accepted in time" + silence(now),
                    now);
        }
        if (stage instanceof Stage.Running running && isOver(running.due(), now)) {
            return stop(
                    steps,
                    "no flip in time; flipped so far " + running.evidence().flipped() + silence(now),
                    now);
        }
        if (stage instanceof Stage.Aborting aborting && arePast(aborting.due(), now)) {
            // Silence is not disagreement: who was away (a worker, the cluster, this process) may still come back and
            // say, and
            // until all have said it nothing is decided. So an alarm, again and again, and no quarantine.
            steps.alarm("not all ranks say how far decision "
                    + aborting.decision().epoch() + " got: aborted after "
                    + aborting.evidence().aborted());
            return steps.stage(new Stage.Aborting(
                            aborting.decision(),
                            aborting.evidence(),
                            patience.toStop(steps.state().members(), now),
                            aborting.reason(),
                            aborting.permitted()))
                    .done();
        }
        return steps.done();
    }

    private static String silence(Moment now) {
        return now.silent() ? "; nothing is heard of the ranks' steps any more" : "";
    }

    private Transition began(Steps steps, Membership members) {
        PlannerState state = steps.state();
        if (members.incarnation() == state.members().incarnation()) {
            return steps.ignored(IgnoreReason.DUPLICATE);
        }
        if (members.incarnation() < state.members().incarnation()) {
            return steps.ignored(IgnoreReason.FOREIGN_INCARNATION);
        }
        state.stage()
                .inFlight()
                .ifPresent(decision -> steps.writeVoid(decision, "incarnation " + members.incarnation() + " began"));
        steps.members(members);
        steps.settle(start(members));
        return steps.stage(new Stage.Idle()).done();
    }

    // ---- Rules that safety rests on; overridden by the wrong variants of the tests only.

    /** A reign begins with a term above all before, so that ranks can tell a dead planner's commands. */
    boolean announcesTerm(PlanLog log) {
        return true;
    }

    /** An epoch is never used again, not even when nothing of it was flipped or the incarnation is another. */
    int nextEpoch(PlannerState state) {
        return Math.max(state.lastEpoch(), state.settled().version()) + 1;
    }

    /** Whether ranks have had their time: boundaries that they have passed, or the word that they are gone. */
    boolean isOver(Due due, Moment now) {
        return arePast(due, now) || (now.millis() >= due.millis() && now.silent());
    }

    /** Whether they run, and have passed what was due. An engine that stands still is late for nothing, and no alarm. */
    boolean arePast(Due due, Moment now) {
        return now.millis() >= due.millis() && now.boundaries() >= due.boundary();
    }

    /** Which slots of a layer are kept as idle. */
    BitSet idle(SettledPlacement record) {
        return record.idleSlots();
    }

    /** What ranks of an incarnation serve before its first decision. */
    Placement start(Membership members) {
        return members.start();
    }

    /** Whether a person has to approve first. */
    boolean waits(Approval approval) {
        return approval.awaited();
    }

    /** How what an operator wants ended ends. */
    WayOut wayOut(PlannerState state, Sight sight) {
        return WayOut.of(state, sight);
    }

    boolean mayPermit(Evidence evidence) {
        return evidence.acceptedCount() == evidence.ranks();
    }

    boolean allFlipped(Evidence evidence, int lastBatch) {
        for (int rank = 0; rank < evidence.ranks(); rank++) {
            if (evidence.flipped().at(rank) < lastBatch) {
                return false;
            }
        }
        return true;
    }

    /** Whether two ranks, or two acks of one, say different things about what was flipped. */
    boolean disagree(Evidence evidence, int lastBatch) {
        for (int rank = 0; rank < evidence.ranks(); rank++) {
            OptionalInt end = evidence.end(rank, lastBatch);
            for (int other = 0; other < evidence.ranks() && end.isPresent(); other++) {
                OptionalInt otherEnd = evidence.end(other, lastBatch);
                if (evidence.flipped().at(other) > end.getAsInt()
                        || (otherEnd.isPresent() && otherEnd.getAsInt() != end.getAsInt())) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Batches flipped, when all ranks have said so. */
    OptionalInt commonEnd(Evidence evidence, int lastBatch) {
        for (int rank = 0; rank < evidence.ranks(); rank++) {
            if (evidence.end(rank, lastBatch).isEmpty()) {
                return OptionalInt.empty();
            }
        }
        return evidence.end(0, lastBatch);
    }
}
