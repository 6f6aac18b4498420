package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanCommand.Propose;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import dev.plimsoll.planner.protocol.PlanLog;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Ranks as they should be: all accept a sound proposal at once and refuse any other, and after PERMIT all flip one batch at every
 * border between two parts of a window, in the same step.
 */
final class VirtualRanks {
    private final Membership members;
    private Placement settled;
    private Placement served;
    private PlacementState state;
    private Optional<Propose> accepted = Optional.empty();
    private boolean permitted;

    VirtualRanks(Membership members, Placement start) {
        this.members = members;
        this.settled = start;
        this.served = start;
        this.state = PlacementState.settled(start.version());
    }

    /** The expert of every slot now. */
    Placement served() {
        return served;
    }

    PlacementState state() {
        return state;
    }

    /** Does what a command says; returns what the ranks say to it. */
    List<RankAck> take(PlanCommand command, long step) {
        if (command instanceof Propose propose) {
            return offered(propose, step);
        }
        if (command instanceof PlanCommand.Permit permit && inFlight(permit.epoch())) {
            permitted = true;
        } else if (command instanceof PlanCommand.Abort abort) {
            permitted = false;
            return acks(abort.epoch(), RankAck.Kind.ABORTED, state.batchesFlipped(), 0, step);
        } else if (command instanceof PlanCommand.Settled end && inFlight(end.epoch())) {
            settle(PlanLog.after(accepted.orElseThrow(), end.batchesFlipped(), settled, end.epoch()));
        } else if (command instanceof PlanCommand.Void end && inFlight(end.epoch())) {
            settle(settled);
        }
        return List.of();
    }

    private boolean inFlight(int epoch) {
        return accepted.filter(propose -> propose.epoch() == epoch).isPresent();
    }

    private void settle(Placement placement) {
        settled = placement;
        served = placement;
        state = PlacementState.settled(placement.version());
        accepted = Optional.empty();
        permitted = false;
    }

    private List<RankAck> offered(Propose propose, long step) {
        if (PlacementRules.violations(propose, settled, members).isEmpty()) {
            accepted = Optional.of(propose);
            permitted = false;
            return acks(propose.epoch(), RankAck.Kind.ACCEPTED, 0, propose.planHash(), step);
        }
        return List.of(new RankAck(
                members.deployment(),
                members.incarnation(),
                new RankId(0),
                propose.epoch(),
                RankAck.Kind.REFUSED,
                0,
                Optional.of(Refusal.INVALID_PLAN),
                propose.planHash(),
                step));
    }

    /** A border between two parts of a window: one batch is flipped, if one may be. Returns what the ranks say of it. */
    List<RankAck> border(long step) {
        if (!permitted) {
            return List.of();
        }
        Propose decision = accepted.orElseThrow();
        int flipped = state.batchesFlipped() + 1;
        if (flipped > decision.batches().size()) {
            return List.of();
        }
        state = new PlacementState(settled.version(), decision.epoch(), flipped);
        served = PlanLog.after(decision, flipped, settled, decision.epoch());
        return acks(decision.epoch(), RankAck.Kind.FLIPPED, flipped, decision.planHash(), step);
    }

    private List<RankAck> acks(int epoch, RankAck.Kind kind, int batch, long planHash, long step) {
        return IntStream.range(0, members.topology().ranks())
                .mapToObj(rank -> new RankAck(
                        members.deployment(),
                        members.incarnation(),
                        new RankId(rank),
                        epoch,
                        kind,
                        batch,
                        Optional.empty(),
                        planHash,
                        step))
                .toList();
    }
}
