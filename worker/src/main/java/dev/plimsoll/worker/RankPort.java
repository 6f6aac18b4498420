package dev.plimsoll.worker;

import dev.plimsoll.device.DeviceException;
import dev.plimsoll.device.HeatRing;
import dev.plimsoll.device.PlanMailbox;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.RankId;
import dev.plimsoll.wire.RankFiles;
import java.nio.file.Path;
import java.util.Optional;

/** One rank as its node sees it: the state in its ring's header, and its mailbox. */
interface RankPort extends AutoCloseable {
    RankId rank();

    long incarnation();

    RankState state();

    /** The last boundary that the rank is known to have passed: a state is written when it changes, a snapshot at every boundary. */
    default long step() {
        return state().step();
    }

    /** What the flip of a batch took on the rank; empty where it does not say. */
    Optional<FlipCost> flipCost(int epoch, int batch);

    /** Whether the engine closed its ring in order. */
    boolean engineClosed();

    /** Position of the last record in the mailbox, -1 when there is none; {@link OrderFeed} says what positions are. */
    long lastPosition();

    /**
     * Appends a record to the mailbox.
     *
     * @throws DeviceException with status {@code PLM_E_DEVICE} when the mailbox is damaged
     */
    Written write(long position, byte[] record);

    /** What became of a record. */
    enum Written {
        THERE,
        /** There is no room now. */
        FULL,
        /** There will never be room for so much at once. */
        TOO_LARGE
    }

    /** Opens a rank's files. */
    interface Opener {
        /** Throws {@link RuntimeException} while they are not complete. */
        RankPort open(int rank, Membership members);
    }

    @Override
    void close();

    /** Opens the files of a rank; throws {@link RuntimeException} while they are not complete. */
    static RankPort open(Path directory, int rank, int mailboxBytes) {
        HeatRing ring = HeatRing.open(RankFiles.ring(directory, rank));
        try {
            return new Files(ring, PlanMailbox.open(RankFiles.mailbox(directory, rank), mailboxBytes));
        } catch (RuntimeException e) {
            ring.close();
            throw e;
        }
    }

    /** The two files. */
    record Files(HeatRing ring, PlanMailbox mailbox) implements RankPort {
        @Override
        public RankId rank() {
            return new RankId(ring.header().rank());
        }

        @Override
        public long incarnation() {
            return ring.header().incarnation();
        }

        @Override
        public RankState state() {
            return ring.state();
        }

        @Override
        public long step() {
            return Math.max(
                    ring.state().step(),
                    ring.newest().map(HeatRing.Newest::step).orElse(0L));
        }

        @Override
        public Optional<FlipCost> flipCost(int epoch, int batch) {
            return ring.flip(epoch, batch)
                    .filter(flip -> flip.receivedBytes() >= 0 && flip.transferNanos() >= 0 && flip.flipNanos() >= 0)
                    .map(flip -> new FlipCost(flip.receivedBytes(), flip.transferNanos(), flip.flipNanos()));
        }

        @Override
        public boolean engineClosed() {
            return ring.closed();
        }

        @Override
        public long lastPosition() {
            return mailbox.lastPosition();
        }

        @Override
        public Written write(long position, byte[] record) {
            try {
                return mailbox.write(position, record) ? Written.THERE : Written.FULL;
            } catch (DeviceException e) {
                // Positions are seen to grow before, so that it is the size that is wrong.
                if (e.status() == PlimsollApi.PLM_E_ARG) {
                    return Written.TOO_LARGE;
                }
                throw e;
            }
        }

        @Override
        public void close() {
            mailbox.close();
            ring.close();
        }
    }
}
