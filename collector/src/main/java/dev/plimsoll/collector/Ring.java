package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing;
import java.nio.file.Path;
import java.util.Optional;

/** A heat ring as a collector reads it. */
interface Ring extends AutoCloseable {
    long incarnation();

    Optional<HeatRing.Snapshot> poll();

    /** {@code CLOCK_REALTIME} of its engine's last sign of life. */
    long heartbeatNanos();

    /** Whether its engine closed it in order: what is in it can still be read. */
    boolean closed();

    @Override
    void close();

    /** Opens a ring's file; throws {@link RuntimeException} while it is not complete. */
    static Ring open(Path file) {
        return new OfFile(HeatRing.open(file));
    }

    /** A ring in shared memory. */
    record OfFile(HeatRing ring) implements Ring {
        @Override
        public long incarnation() {
            return ring.header().incarnation();
        }

        @Override
        public Optional<HeatRing.Snapshot> poll() {
            return ring.poll();
        }

        @Override
        public long heartbeatNanos() {
            return ring.heartbeatNanos();
        }

        @Override
        public boolean closed() {
            return ring.closed();
        }

        @Override
        public void close() {
            ring.close();
        }
    }
}
