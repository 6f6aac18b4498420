package dev.plimsoll.worker.protocol;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import java.util.OptionalInt;

/**
 * What a node says of a rank and one decision, from what it reads of the rank alone: its acks in short.
 *
 * @param accepted whether the rank has accepted it, or more
 * @param flipped batches of it
 * @param refused whether it cannot be carried on here
 * @param stopped batches after which it has stopped for good
 */
record Reports(boolean accepted, int flipped, boolean refused, OptionalInt stopped) {
    static Reports of(RankState seen, int epoch) {
        boolean later = epoch > seen.epoch();
        // Nothing that comes now reaches a deaf rank: the node answers in its place.
        boolean unheard = seen.deaf() && later;
        boolean refused = unheard || (seen.refusal() >= 0 && seen.refusedEpoch() == epoch);
        if (later) {
            boolean never = unheard || (refused && seen.refusedStopped());
            return new Reports(false, 0, refused, never ? OptionalInt.of(0) : OptionalInt.empty());
        }
        if (epoch < seen.epoch()) {
            return new Reports(false, 0, false, OptionalInt.empty());
        }
        boolean accepted = switch (seen.phase()) {
            case ACCEPTED, WILLING, TRANSFERRING, READY, MOVING, DONE -> true;
            default -> false;
        };
        return new Reports(
                accepted,
                seen.batchesFlipped(),
                refused,
                seen.phase() == RankPhase.ABORTED ? OptionalInt.of(seen.batchesFlipped()) : OptionalInt.empty());
    }

    /** Batches flipped when all is over: what is flipped to the end has ended too. */
    OptionalInt end(int batches) {
        return stopped.isPresent() || flipped < batches ? stopped : OptionalInt.of(batches);
    }
}
