package dev.plimsoll.collector;

import dev.plimsoll.device.HeatRing;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.Membership;
import java.nio.file.Path;
import java.util.Optional;

/** A heat ring as a collector reads it. What reads throws {@link RuntimeException} or {@link Error} once its file is no ring any more. */
interface Ring extends AutoCloseable {
    /** The process that writes a ring; another one starts its counters again. */
    record Writer(long pid, long startTicks) {}

    long incarnation();

    Writer writer();

    /**
     * The next snapshot, of at least those of its ranks that are in {@code [fromRank, toRank)}; some are. Its counters stand until the
     * next call.
     */
    Optional<HeatRing.Snapshot> poll(int fromRank, int toRank);

    /** The newest snapshot's head, without taking it. */
    Optional<HeatRing.Newest> newest();

    /** What the steps of its own rank had taken at this boundary; empty when that is not known. */
    Optional<StepClock> clock(long step);

    /** {@code CLOCK_REALTIME} of its engine's last sign of life. */
    long heartbeatNanos();

    /** Whether its engine closed it in order: what is in it can still be read. */
    boolean closed();

    /** False when the engine's process is known to be gone. */
    boolean writerAlive();

    /** False once the file has been replaced or removed: what is in it can still be read. */
    boolean current();

    @Override
    void close();

    /** Opens a ring's file; throws {@link RuntimeException} while it is not complete, or when it is not of these members. */
    static Ring open(Path file, Membership members) {
        HeatRing ring = HeatRing.open(file);
        HeatRing.Header header = ring.header();
        boolean fits = header.ranks() == members.topology().ranks()
                && header.layers() == members.shape().layers()
                && header.slotsPerRank() == members.topology().slotsPerRank()
                && header.boundarySteps() == members.boundarySteps()
                && header.deployment().equals(members.deployment().id());
        if (header.incarnation() == members.incarnation() && !fits) {
            ring.close();
            throw new IllegalStateException(file + " and the membership beside it disagree: the ring is of "
                    + header.deployment() + ", " + header.ranks() + " ranks × " + header.layers() + " layers × "
                    + header.slotsPerRank() + " slots, boundary every " + header.boundarySteps()
                    + " steps; the membership is of " + members.deployment() + ", "
                    + members.topology().ranks() + " ranks × "
                    + members.shape().layers() + " layers × "
                    + members.topology().slotsPerRank() + " slots, boundary every " + members.boundarySteps()
                    + " steps");
        }
        if (header.incarnation() == members.incarnation()
                && !header.load().name().equals(members.traits().load().name())) {
            ring.close();
            throw new IllegalStateException(file + " and the membership beside it disagree: the engine counts load "
                    + header.load() + ", the membership says "
                    + members.traits().load()
                    + "; write the membership with the kind of load that the engine gives to its ring");
        }
        return new OfFile(ring, new HeatRing.Buffers());
    }

    /** A ring in shared memory. */
    record OfFile(HeatRing ring, HeatRing.Buffers buffers) implements Ring {
        @Override
        public long incarnation() {
            return ring.header().incarnation();
        }

        @Override
        public Writer writer() {
            return new Writer(ring.header().pid(), ring.header().startTicks());
        }

        @Override
        public Optional<HeatRing.Snapshot> poll(int fromRank, int toRank) {
            return ring.poll(fromRank, toRank, buffers);
        }

        @Override
        public Optional<HeatRing.Newest> newest() {
            return ring.newest();
        }

        @Override
        public Optional<StepClock> clock(long step) {
            return ring.clock(step);
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
        public boolean writerAlive() {
            return ring.writerAlive();
        }

        @Override
        public boolean current() {
            return ring.current();
        }

        @Override
        public void close() {
            ring.close();
        }
    }
}
