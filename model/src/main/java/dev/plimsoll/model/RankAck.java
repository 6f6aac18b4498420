package dev.plimsoll.model;

import java.util.Optional;

/**
 * What one rank says of a decision, after the fact and never in advance.
 *
 * @param batch of FLIPPED the batch; of ABORTED the number of batches flipped (b*); else 0
 * @param refusal of REFUSED, why
 * @param planHash the hash of the plan that this rank speaks of, 0 where it never heard of one
 * @param step the boundary at which it happened or was first seen
 * @param cost of FLIPPED, what the batch took; empty where the rank does not say
 * @param peer of REFUSED with {@link Refusal#TRANSFER_FAILED}, the rank at the other end of the transfer; empty where that is not known
 */
public record RankAck(
        Deployment deployment,
        long incarnation,
        RankId rank,
        int epoch,
        Kind kind,
        int batch,
        Optional<Refusal> refusal,
        long planHash,
        long step,
        Optional<FlipCost> cost,
        Optional<RankId> peer) {

    /** What happened. */
    public enum Kind {
        ACCEPTED,
        REFUSED,
        FLIPPED,
        ABORTED,
        /** The rank cannot know whether others flipped, so it must not run another step: it leaves the group. */
        FATAL
    }

    /** Of a rank that says neither what a flip took nor with whom a transfer failed. */
    public RankAck(
            Deployment deployment,
            long incarnation,
            RankId rank,
            int epoch,
            Kind kind,
            int batch,
            Optional<Refusal> refusal,
            long planHash,
            long step) {
        this(
                deployment,
                incarnation,
                rank,
                epoch,
                kind,
                batch,
                refusal,
                planHash,
                step,
                Optional.empty(),
                Optional.empty());
    }

    public RankAck {
        if (cost.isPresent() && kind != Kind.FLIPPED) {
            throw new IllegalArgumentException(kind + " with the cost of a flip");
        }
        if (refusal.isPresent() != (kind == Kind.REFUSED)) {
            throw new IllegalArgumentException(kind + " with refusal " + refusal);
        }
        if (peer.isPresent() && !refusal.equals(Optional.of(Refusal.TRANSFER_FAILED))) {
            throw new IllegalArgumentException(kind + ", refusal " + refusal + ", with the peer of a failed transfer");
        }
        if (batch < 0 || (kind == Kind.FLIPPED && batch < 1)) {
            throw new IllegalArgumentException(kind + " of batch " + batch);
        }
    }

    /** Why a rank refused, in words: {@code TRANSFER_FAILED with rank 3}. */
    public String why() {
        return refusal.map(Refusal::toString).orElse("")
                + peer.map(other -> " with " + other).orElse("");
    }

    /** One line for people. */
    public String summary() {
        return rank + " " + kind + " " + epoch
                + switch (kind) {
                    case FLIPPED -> " batch " + batch;
                    case ABORTED -> " after batch " + batch;
                    case REFUSED -> ": " + why();
                    case ACCEPTED, FATAL -> "";
                }
                + " at step " + step + cost.map(took -> ": " + took.summary()).orElse("");
    }
}
