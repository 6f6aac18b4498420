package dev.plimsoll.device;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The node's end of one rank's heat ring: a read-only view of the file that the engine's process publishes to.
 *
 * <p>Pure Java (a memory-mapped file read under a seqlock), so that a collector needs no native code. One thread per
 * reader; any number of readers. Reading costs the engine nothing and cannot block it.
 */
public final class HeatRing implements AutoCloseable {

    /** What the ring's header says of its engine. */
    public record Header(
            String deployment,
            long incarnation,
            int rank,
            int ranks,
            int layers,
            int slotsPerRank,
            int boundarySteps,
            long pid) {}

    /**
     * One gathered snapshot: the counters of all ranks as they stood at a boundary.
     *
     * @param sequence 1, 2, 3… over the snapshots that this ring has published; a jump means that the reader missed some
     * @param step the boundary
     * @param votes {@code [rank]}; the placement state in them is the one that the steps up to this boundary ran under
     * @param valid {@code [rank]}: false where a rank gathered a marker in place of heat; its counters are then 0
     * @param load {@code [rank][layer][slot]} flattened, absolute counters
     * @param routed {@code [rank][layer]} flattened, absolute counters
     * @param capturedNanos {@code CLOCK_REALTIME} at which the boundary was staged on the ring's own rank
     */
    public record Snapshot(
            long sequence, long step, Vote[] votes, boolean[] valid, long[] load, long[] routed, long capturedNanos) {}

    private HeatRing() {}

    /** Opens a ring's file; throws {@link java.io.UncheckedIOException} naming what is wrong with it. */
    public static HeatRing open(Path file) {
        throw new UnsupportedOperationException();
    }

    public Header header() {
        throw new UnsupportedOperationException();
    }

    /** The oldest snapshot still in the ring that this reader has not yet seen. Never a torn one. */
    public Optional<Snapshot> poll() {
        throw new UnsupportedOperationException();
    }

    /** The rank's state, read consistently. */
    public RankState state() {
        throw new UnsupportedOperationException();
    }

    /** {@code CLOCK_REALTIME} nanoseconds of the library's last sign of life (it writes one every 100 ms). */
    public long heartbeatNanos() {
        throw new UnsupportedOperationException();
    }

    /** Whether the engine closed the ring in order. */
    public boolean closed() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
