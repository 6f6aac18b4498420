package dev.plimsoll.worker;

import dev.plimsoll.model.RankAck;
import java.util.List;
import java.util.OptionalInt;

/**
 * What a rank's acks say of one decision, in short.
 *
 * @param accepted whether the rank has accepted it, or more
 * @param flipped batches of it
 * @param refused whether it cannot be carried on here
 * @param stopped batches after which it has stopped for good
 */
record Reports(boolean accepted, int flipped, boolean refused, OptionalInt stopped) {
    static Reports of(List<RankAck> acks, int epoch) {
        boolean accepted = false;
        boolean refused = false;
        int flipped = 0;
        OptionalInt stopped = OptionalInt.empty();
        for (RankAck ack : acks) {
            if (ack.epoch() != epoch) {
                continue;
            }
            switch (ack.kind()) {
                case ACCEPTED -> accepted = true;
                case REFUSED -> refused = true;
                case FLIPPED -> flipped = Math.max(flipped, ack.batch());
                case ABORTED -> stopped = OptionalInt.of(ack.batch());
                case FATAL -> {}
            }
        }
        return new Reports(accepted, flipped, refused, stopped);
    }

    /** Batches flipped when all is over: what is flipped to the end has ended too. */
    OptionalInt end(int batches) {
        return stopped.isPresent() || flipped < batches ? stopped : OptionalInt.of(batches);
    }
}
