package dev.plimsoll.worker;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankAck.Kind;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * What a rank's state amounts to in acks: a function of the state alone, and for a rank that hears no orders of the plan log, so that
 * an ack that was lost, or never sent because the worker died, is found again by looking.
 */
final class RankAcks {
    private static final Refusal[] REFUSALS = Refusal.values();

    private final Membership members;
    private final RankId rank;

    RankAcks(Membership members, RankId rank) {
        this.members = members;
        this.rank = rank;
    }

    /**
     * All acks that hold in a state, in the order in which a planner wants them.
     *
     * @param costs what the flip of a batch of {@code state.epoch()} took, by its number
     * @throws IllegalArgumentException where the state says what is not known here
     */
    List<RankAck> of(RankState state, IntFunction<Optional<FlipCost>> costs) {
        List<RankAck> acks = new ArrayList<>();
        if (state.epoch() > 0) {
            addInFlight(state, costs, acks);
        }
        if (state.refusal() >= 0 && !asksOnly(state)) {
            acks.add(refused(state, state.refusedEpoch(), state.refusedHash(), refusal(state), peer(state)));
            if (state.refusedStopped() && state.refusedEpoch() > state.epoch()) {
                acks.add(nothingFlipped(state, state.refusedEpoch(), state.refusedHash()));
            }
        }
        return acks;
    }

    private void addInFlight(RankState state, IntFunction<Optional<FlipCost>> costs, List<RankAck> acks) {
        switch (state.phase()) {
            case ACCEPTED, WILLING, TRANSFERRING, READY, MOVING, DONE -> acks.add(ack(state, Kind.ACCEPTED, 0));
            case SERVING, REFUSED, ABORTING, ABORTED, FATAL -> {}
        }
        for (int batch = 1; batch <= state.batchesFlipped(); batch++) {
            acks.add(ack(
                    state,
                    state.epoch(),
                    state.planHash(),
                    Kind.FLIPPED,
                    batch,
                    Optional.empty(),
                    costs.apply(batch),
                    Optional.empty()));
        }
        if (state.phase() == RankPhase.ABORTED) {
            acks.add(ack(state, Kind.ABORTED, state.batchesFlipped()));
        }
        if (state.phase() == RankPhase.FATAL) {
            acks.add(ack(state, Kind.FATAL, 0));
        }
    }

    /** BEHIND in the decision itself is refused by nobody: the rank only asks how it ended. */
    private static boolean asksOnly(RankState state) {
        return state.refusal() == PlimsollApi.PLM_REFUSAL_BEHIND && state.refusedEpoch() <= state.epoch();
    }

    /**
     * What is to be said for a rank that hears no orders any more, besides what its state says: it takes no decision that comes now,
     * and flips nothing of it.
     *
     * @param inFlight the decision of the plan log; one that the rank has heard of is left to its state
     */
    List<RankAck> ofDeaf(RankState state, Optional<Orders.InFlight> inFlight) {
        List<RankAck> acks = new ArrayList<>();
        inFlight.filter(decision -> decision.epoch() > state.epoch()).ifPresent(decision -> {
            long hash = decision.propose().planHash();
            acks.add(refused(state, decision.epoch(), hash, Refusal.DEAF, Optional.empty()));
            if (decision.stopped()) {
                acks.add(nothingFlipped(state, decision.epoch(), hash));
            }
        });
        return acks;
    }

    private static Refusal refusal(RankState state) {
        if (state.refusal() >= REFUSALS.length) {
            throw new IllegalArgumentException("refusal " + state.refusal()
                    + " of a rank is not known: its engine's libplimsoll is newer than this worker's");
        }
        return REFUSALS[state.refusal()];
    }

    private static Optional<RankId> peer(RankState state) {
        return refusal(state) == Refusal.TRANSFER_FAILED && state.refusedPeer() >= 0
                ? Optional.of(new RankId(state.refusedPeer()))
                : Optional.empty();
    }

    private RankAck refused(RankState state, int epoch, long hash, Refusal why, Optional<RankId> peer) {
        return ack(state, epoch, hash, Kind.REFUSED, 0, Optional.of(why), Optional.empty(), peer);
    }

    private RankAck nothingFlipped(RankState state, int epoch, long hash) {
        return ack(state, epoch, hash, Kind.ABORTED, 0, Optional.empty(), Optional.empty(), Optional.empty());
    }

    private RankAck ack(RankState state, Kind kind, int batch) {
        return ack(
                state,
                state.epoch(),
                state.planHash(),
                kind,
                batch,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private RankAck ack(
            RankState state,
            int epoch,
            long planHash,
            Kind kind,
            int batch,
            Optional<Refusal> refusal,
            Optional<FlipCost> cost,
            Optional<RankId> peer) {
        return new RankAck(
                members.deployment(),
                members.incarnation(),
                rank,
                epoch,
                kind,
                batch,
                refusal,
                planHash,
                state.step(),
                cost,
                peer);
    }
}
