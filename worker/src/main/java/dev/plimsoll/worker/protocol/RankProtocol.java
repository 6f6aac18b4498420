package dev.plimsoll.worker.protocol;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Move;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.worker.protocol.RankEffect.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The rules of one rank: {@code (state, event) → (state, effects)}, and the vote of every state.
 *
 * <p>At each boundary the caller feeds the verdict of the boundary before, then the commands and ended transfers that have come
 * in since, in any order, then casts {@link #vote} and feeds {@link RankEvent.Voted}. Nothing here waits, and nothing but a
 * verdict flips.
 */
public final class RankProtocol {
    private final Membership members;

    public RankProtocol(Membership members) {
        this.members = members;
    }

    /** What this rank votes now. */
    public RankVote vote(ProtocolState state) {
        int level = switch (state.phase()) {
            case WILLING, TRANSFERRING -> 1;
            case READY -> 2;
            default -> 0;
        };
        return level == 0 || state.observeOnly()
                ? RankVote.none(state.staged())
                : new RankVote(state.staged(), state.epoch(), state.nextBatch(), level, state.planHash());
    }

    public Transition on(ProtocolState state, RankEvent event) {
        List<RankEffect> effects = new ArrayList<>();
        ProtocolState.Edit next = state.edit();
        if (state.phase() == RankPhase.FATAL) {
            if (event instanceof RankEvent.Command command) {
                effects.add(
                        new RankEffect.Ignored(Reason.FATAL, command.command().summary()));
            }
            return new Transition(state, effects);
        }
        if (event instanceof RankEvent.Verdict verdict) {
            onVerdict(state, verdict, next, effects);
        } else if (event instanceof RankEvent.TransferEnded ended) {
            onTransferEnded(state, ended, next, effects);
        } else if (event instanceof RankEvent.Voted voted) {
            next.cast = Optional.of(voted.vote());
        } else if (event instanceof RankEvent.Command command) {
            onCommand(state, command.command(), next, effects);
        }
        return new Transition(next.done(), effects);
    }

    /** A flip that could not be carried out: this rank serves nothing that the others serve. */
    public ProtocolState fail(ProtocolState state) {
        ProtocolState.Edit next = state.edit();
        next.phase = RankPhase.FATAL;
        return next.done();
    }

    private void onVerdict(
            ProtocolState state, RankEvent.Verdict verdict, ProtocolState.Edit next, List<RankEffect> effects) {
        next.staged = state.placementState();
        RankVote cast = state.cast().orElse(RankVote.none(state.staged()));
        next.cast = Optional.empty();
        switch (verdict.gather()) {
            case PENDING -> {
                if (cast.level() > 0) {
                    throw new IllegalArgumentException("the gather of a vote of level " + cast.level()
                            + " must be resolved before the next boundary");
                }
            }
            case LOST -> onGroupLost(state, cast, next, effects);
            case RESOLVED -> onResolved(state, cast, verdict, next, effects);
        }
        endAbort(next, effects);
    }

    private static void onGroupLost(
            ProtocolState state, RankVote cast, ProtocolState.Edit next, List<RankEffect> effects) {
        if (cast.level() == 2) {
            fatal(next, effects);
            return;
        }
        if (state.observeOnly()) {
            return;
        }
        // The minimum over ranks cannot have been 2 without this rank: nobody flipped, so serving on is safe.
        next.observeOnly = true;
        effects.add(new RankEffect.AbandonGroup());
        switch (state.phase()) {
            case ACCEPTED, WILLING, TRANSFERRING, READY ->
                refuse(next, Refusal.OBSERVE_ONLY, "the gather was lost", effects);
            default -> {}
        }
    }

    private static void onResolved(
            ProtocolState state,
            RankVote cast,
            RankEvent.Verdict verdict,
            ProtocolState.Edit next,
            List<RankEffect> effects) {
        if (verdict.level() == 0) {
            return;
        }
        if (verdict.level() > cast.level() || verdict.epoch() != cast.epoch() || verdict.batch() != cast.batch()) {
            // All ranks are said to have agreed on what this rank never voted: who can tell what they do now.
            fatal(next, effects);
            return;
        }
        Batch batch = state.decision().orElseThrow().batches().get(cast.batch() - 1);
        if (verdict.level() == 1) {
            // Also when an ABORT came in since: the others start now, and transfers are started by all or by none.
            if (state.transferring() == 0) {
                effects.add(new RankEffect.StartTransfers(state.epoch(), batch));
                next.transferring = batch.number();
                next.transferRuns = true;
                if (state.phase() == RankPhase.WILLING) {
                    next.phase = RankPhase.TRANSFERRING;
                }
            }
            return;
        }
        effects.add(new RankEffect.Flip(state.epoch(), batch));
        effects.add(new RankEffect.FreeStaging(state.epoch(), batch.number()));
        next.batchesFlipped = batch.number();
        next.transferring = 0;
        if (state.phase() == RankPhase.READY) {
            boolean last =
                    batch.number() == state.decision().orElseThrow().batches().size();
            next.phase = last ? RankPhase.DONE : RankPhase.WILLING;
        }
    }

    private static void onTransferEnded(
            ProtocolState state, RankEvent.TransferEnded ended, ProtocolState.Edit next, List<RankEffect> effects) {
        if (ended.epoch() != state.epoch() || ended.batch() != state.transferring() || !state.transferRuns()) {
            return;
        }
        next.transferRuns = false;
        if (state.phase() == RankPhase.TRANSFERRING) {
            if (ended.verified()) {
                next.phase = RankPhase.READY;
            } else {
                refuse(next, Refusal.TRANSFER_FAILED, "weights of batch " + ended.batch() + " did not arrive", effects);
            }
        }
        endAbort(next, effects);
    }

    private void onCommand(
            ProtocolState state, PlanCommand command, ProtocolState.Edit next, List<RankEffect> effects) {
        PlanHeader header = command.header();
        Optional<Reason> ignored = reasonToIgnore(state, header);
        if (ignored.isPresent()) {
            effects.add(new RankEffect.Ignored(ignored.get(), command.summary()));
            return;
        }
        // Terms and numbers belong to the log, not to the incarnation: they count even where the command does not.
        next.term = header.term();
        next.commandNumber = header.number();
        if (header.incarnation() != members.incarnation()) {
            effects.add(new RankEffect.Ignored(Reason.FOREIGN_INCARNATION, command.summary()));
            return;
        }
        Optional<Reason> outOfPlace = Optional.empty();
        if (command instanceof PlanCommand.Propose propose) {
            outOfPlace = onPropose(state, propose, next, effects);
        } else if (command instanceof PlanCommand.Permit permit) {
            outOfPlace = onPermit(state, permit, next, effects);
        } else if (command instanceof PlanCommand.Abort abort) {
            outOfPlace = onStop(state, abort.epoch(), next, effects);
        } else if (command instanceof PlanCommand.Settled settled) {
            outOfPlace = onSettled(state, settled, next);
        } else if (command instanceof PlanCommand.Void ended) {
            outOfPlace = onVoid(state, ended, next, effects);
        }
        outOfPlace.ifPresent(reason -> effects.add(new RankEffect.Ignored(reason, command.summary())));
    }

    private Optional<Reason> reasonToIgnore(ProtocolState state, PlanHeader header) {
        if (!header.deployment().equals(members.deployment())) {
            return Optional.of(Reason.FOREIGN_DEPLOYMENT);
        }
        if (header.term() < state.term()) {
            return Optional.of(Reason.OLD_TERM);
        }
        return header.number() <= state.commandNumber() ? Optional.of(Reason.DUPLICATE) : Optional.empty();
    }

    private Optional<Reason> onPropose(
            ProtocolState state, PlanCommand.Propose propose, ProtocolState.Edit next, List<RankEffect> effects) {
        if (propose.epoch() == state.epoch() && propose.planHash() != state.planHash()) {
            // The first one stands: with it goes on what was voted. The planner hears of the clash and stops it.
            RankPhase phase = state.phase();
            refuse(next, Refusal.HASH_MISMATCH, "the epoch came before with another hash", effects);
            next.phase = phase == RankPhase.SERVING ? RankPhase.REFUSED : phase;
            return Optional.empty();
        }
        if (propose.epoch() <= state.epoch()) {
            return Optional.of(Reason.OLD_EPOCH);
        }
        if (state.phase().inFlight() || state.batchesFlipped() > 0 || state.transferring() > 0) {
            return Optional.of(Reason.BUSY);
        }
        next.epoch = propose.epoch();
        next.planHash = propose.planHash();
        next.decision = Optional.empty();
        next.refusal = Optional.empty();
        if (state.observeOnly()) {
            refuse(next, Refusal.OBSERVE_ONLY, "no gather to vote in", effects);
        } else if (propose.basedOn() != state.settled().version()) {
            String detail = "based on v" + propose.basedOn() + ", this rank serves v"
                    + state.settled().version();
            refuse(next, Refusal.STALE_BASE, detail, effects);
        } else if (!fitsStaging(propose)) {
            refuse(next, Refusal.NO_MEMORY, "a batch exceeds the staging memory of a rank", effects);
        } else {
            List<String> violations = PlacementRules.violations(propose, state.settled(), members);
            if (violations.isEmpty()) {
                next.phase = RankPhase.ACCEPTED;
                next.decision = Optional.of(propose);
            } else {
                refuse(next, Refusal.INVALID_PLAN, violations.get(0), effects);
            }
        }
        return Optional.empty();
    }

    private boolean fitsStaging(PlanCommand.Propose propose) {
        for (Batch batch : propose.batches()) {
            int[] incoming = new int[members.topology().ranks()];
            for (Move move : batch.moves()) {
                // A slot that does not exist is left to PlacementRules.
                if (move.slot().index() < members.topology().slots()
                        && ++incoming[members.topology().rankOf(move.slot()).index()]
                                > members.stagedExpertsPerRank()) {
                    return false;
                }
            }
        }
        return true;
    }

    private static Optional<Reason> onPermit(
            ProtocolState state, PlanCommand.Permit permit, ProtocolState.Edit next, List<RankEffect> effects) {
        if (permit.epoch() != state.epoch()) {
            return Optional.of(Reason.OLD_EPOCH);
        }
        if (state.phase() != RankPhase.ACCEPTED) {
            return Optional.of(Reason.OUT_OF_PLACE);
        }
        if (permit.planHash() != state.planHash()) {
            refuse(next, Refusal.HASH_MISMATCH, "leave was given to another hash", effects);
        } else if (state.refusal().isEmpty()) {
            next.phase = RankPhase.WILLING;
        }
        return Optional.empty();
    }

    private static Optional<Reason> onStop(
            ProtocolState state, int epoch, ProtocolState.Edit next, List<RankEffect> effects) {
        if (epoch < state.epoch() || (epoch == state.epoch() && state.phase() == RankPhase.SERVING)) {
            return Optional.of(Reason.OLD_EPOCH);
        }
        if (epoch > state.epoch()) {
            if (state.phase().inFlight() || state.batchesFlipped() > 0 || state.transferring() > 0) {
                return Optional.of(Reason.BUSY);
            }
            // A decision that never reached this rank: nothing of it was flipped here, and the planner waits to hear
            // so.
            next.epoch = epoch;
            next.planHash = 0;
            next.decision = Optional.empty();
            next.refusal = Optional.empty();
        }
        if (state.phase() != RankPhase.ABORTED || epoch > state.epoch()) {
            next.phase = RankPhase.ABORTING;
            endAbort(next, effects);
        }
        return Optional.empty();
    }

    /** An abort is over when no vote of mine can flip any more and no byte moves: only then is b* final. */
    private static void endAbort(ProtocolState.Edit next, List<RankEffect> effects) {
        boolean voteMayFlip = next.cast.isPresent() && next.cast.get().level() >= 1;
        if (next.phase != RankPhase.ABORTING || voteMayFlip || next.transferRuns) {
            return;
        }
        next.phase = RankPhase.ABORTED;
        if (next.transferring > 0) {
            effects.add(new RankEffect.FreeStaging(next.epoch, next.transferring));
            next.transferring = 0;
        }
    }

    private static Optional<Reason> onSettled(
            ProtocolState state, PlanCommand.Settled settled, ProtocolState.Edit next) {
        if (settled.epoch() != state.epoch() || state.phase() == RankPhase.SERVING) {
            return Optional.of(Reason.OLD_EPOCH);
        }
        boolean over = state.phase() == RankPhase.DONE || state.phase() == RankPhase.ABORTED;
        if (!over || state.decision().isEmpty() || settled.batchesFlipped() != state.batchesFlipped()) {
            return Optional.of(Reason.OUT_OF_PLACE);
        }
        var placement = state.flipped(state.decision().get(), settled.batchesFlipped(), settled.epoch());
        if (placement.hash() != settled.placementHash()) {
            return Optional.of(Reason.OUT_OF_PLACE);
        }
        next.settled = placement;
        serve(next);
        return Optional.empty();
    }

    private static Optional<Reason> onVoid(
            ProtocolState state, PlanCommand.Void ended, ProtocolState.Edit next, List<RankEffect> effects) {
        if (ended.epoch() != state.epoch() || state.phase() == RankPhase.SERVING) {
            return Optional.of(Reason.OLD_EPOCH);
        }
        if (state.batchesFlipped() > 0) {
            return Optional.of(Reason.OUT_OF_PLACE);
        }
        if (state.voteMayFlip() || state.transferring() > 0) {
            // Comes only without an ABORT before it; what is under way has to end first all the same.
            return onStop(state, ended.epoch(), next, effects);
        }
        serve(next);
        return Optional.empty();
    }

    private static void serve(ProtocolState.Edit next) {
        next.phase = RankPhase.SERVING;
        next.decision = Optional.empty();
        next.batchesFlipped = 0;
        next.refusal = Optional.empty();
    }

    private static void refuse(ProtocolState.Edit next, Refusal refusal, String detail, List<RankEffect> effects) {
        next.phase = RankPhase.REFUSED;
        next.refusal = Optional.of(refusal);
        effects.add(new RankEffect.Refused(next.epoch, refusal, detail));
    }

    private static void fatal(ProtocolState.Edit next, List<RankEffect> effects) {
        next.phase = RankPhase.FATAL;
        effects.add(new RankEffect.LeaveGroup());
    }
}
