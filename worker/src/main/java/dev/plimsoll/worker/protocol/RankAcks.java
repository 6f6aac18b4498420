package dev.plimsoll.worker.protocol;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.RankAck.Kind;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * What a rank's state amounts to in acks: a function of the state alone, so that an ack that was lost, or never sent because the
 * worker died, is found again by looking.
 */
public final class RankAcks {
    private RankAcks() {}

    /** The part of a rank's state that its node can see. */
    public record Seen(
            int epoch, RankPhase phase, int batchesFlipped, long planHash, Optional<Refusal> refusal, long step) {
        public static Seen of(ProtocolState state, long step) {
            return new Seen(
                    state.epoch(), state.phase(), state.batchesFlipped(), state.planHash(), state.refusal(), step);
        }
    }

    /** All acks that hold in this state, in the order in which a planner wants them; what flips took is not known. */
    public static List<RankAck> of(Deployment deployment, long incarnation, RankId rank, Seen seen) {
        return of(deployment, incarnation, rank, seen, batch -> Optional.empty());
    }

    /** @param costs what the flip of a batch took, by its number */
    public static List<RankAck> of(
            Deployment deployment, long incarnation, RankId rank, Seen seen, IntFunction<Optional<FlipCost>> costs) {
        List<RankAck> acks = new ArrayList<>();
        if (seen.epoch() == 0) {
            return acks;
        }
        switch (seen.phase()) {
            case ACCEPTED, WILLING, TRANSFERRING, READY, DONE ->
                acks.add(ack(deployment, incarnation, rank, seen, Kind.ACCEPTED, 0));
            default -> {}
        }
        for (int batch = 1; batch <= seen.batchesFlipped(); batch++) {
            acks.add(ack(deployment, incarnation, rank, seen, Kind.FLIPPED, batch, costs.apply(batch)));
        }
        if (seen.refusal().isPresent()) {
            acks.add(ack(deployment, incarnation, rank, seen, Kind.REFUSED, 0));
        }
        if (seen.phase() == RankPhase.ABORTED) {
            acks.add(ack(deployment, incarnation, rank, seen, Kind.ABORTED, seen.batchesFlipped()));
        }
        if (seen.phase() == RankPhase.FATAL) {
            acks.add(ack(deployment, incarnation, rank, seen, Kind.FATAL, 0));
        }
        return acks;
    }

    private static RankAck ack(Deployment deployment, long incarnation, RankId rank, Seen seen, Kind kind, int batch) {
        return ack(deployment, incarnation, rank, seen, kind, batch, Optional.empty());
    }

    private static RankAck ack(
            Deployment deployment,
            long incarnation,
            RankId rank,
            Seen seen,
            Kind kind,
            int batch,
            Optional<FlipCost> cost) {
        return new RankAck(
                deployment,
                incarnation,
                rank,
                seen.epoch(),
                kind,
                batch,
                kind == Kind.REFUSED ? seen.refusal() : Optional.empty(),
                seen.planHash(),
                seen.step(),
                cost);
    }
}
