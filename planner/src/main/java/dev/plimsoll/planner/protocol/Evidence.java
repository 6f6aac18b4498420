package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.RankAck;
import java.util.OptionalInt;

/**
 * What the ranks have said of one decision so far: a set, so that order and repetition of acks do not matter.
 *
 * @param accepted {@code [rank]} 1 where the rank accepted this decision's hash
 * @param flipped {@code [rank]} the last batch that the rank has flipped, 0 for none
 * @param aborted {@code [rank]} batches flipped when the rank gave up (b*), -1 where it has not
 */
public record Evidence(LongVector accepted, LongVector flipped, LongVector aborted) {

    static Evidence none(int ranks) {
        long[] minusOne = new long[ranks];
        java.util.Arrays.fill(minusOne, -1);
        return new Evidence(LongVector.of(new long[ranks]), LongVector.of(new long[ranks]), LongVector.of(minusOne));
    }

    /** With one more ack, whose hash and batch are those of the decision; the same value where it says nothing new. */
    Evidence plus(RankAck ack) {
        int rank = ack.rank().index();
        return switch (ack.kind()) {
            case ACCEPTED -> new Evidence(raised(accepted, rank, 1), flipped, aborted);
            // Flips are in order, so one of batch b says that those before it were flipped too.
            case FLIPPED -> new Evidence(accepted, raised(flipped, rank, ack.batch()), aborted);
            case ABORTED -> new Evidence(accepted, flipped, raised(aborted, rank, ack.batch()));
            case REFUSED, FATAL -> this;
        };
    }

    private static LongVector raised(LongVector values, int at, long value) {
        if (values.at(at) >= value) {
            return values;
        }
        long[] copy = values.toArray();
        copy[at] = value;
        return LongVector.of(copy);
    }

    public int ranks() {
        return accepted.size();
    }

    public int acceptedCount() {
        return (int) accepted.sum();
    }

    /** Batches that the rank has flipped for good, where it can flip no more of this decision. */
    OptionalInt end(int rank, int lastBatch) {
        if (aborted.at(rank) >= 0) {
            return OptionalInt.of((int) aborted.at(rank));
        }
        return flipped.at(rank) == lastBatch ? OptionalInt.of(lastBatch) : OptionalInt.empty();
    }
}
