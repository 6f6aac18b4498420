package dev.plimsoll.device;

import java.nio.file.Path;
import java.time.Duration;

/**
 * The engine's end of one rank's heat ring: stages the counters at every boundary, gathers them with the votes, and
 * publishes them to the ring's file.
 *
 * <p>{@link #begin} and {@link #end} are called on the engine's dispatch thread at every boundary, in this order; the first
 * caller's thread is pinned and others are refused. Neither blocks, but {@code begin} may wait (bounded) when this rank's
 * last vote was 1 or 2.
 */
public final class HeatCapture implements AutoCloseable {

    /**
     * What is captured and where it goes.
     *
     * @param file the ring's file, one per rank, on tmpfs; created 0640
     * @param deployment identifies the deployment in the file's header, at most 200 bytes of UTF-8
     * @param incarnation life of the deployment
     * @param rank this rank
     * @param ranks ranks of the group, the size of the communicator
     * @param layers MoE layers
     * @param slotsPerRank slots of one rank
     * @param boundarySteps K, steps between two boundaries
     * @param loadAddress device address of int64 {@code [layer][local slot]} counters: tokens computed, only growing
     * @param routedAddress device address of int64 {@code [layer]} counters: assignments (tokens × top-k) that this rank's
     *     router has made, only growing; the sum over ranks equals the sum of loads over all slots of the layer
     */
    public record Options(
            Path file,
            String deployment,
            long incarnation,
            int rank,
            int ranks,
            int layers,
            int slotsPerRank,
            int boundarySteps,
            long loadAddress,
            long routedAddress) {}

    /**
     * What the ring has counted since it was opened.
     *
     * @param captured boundaries whose counters were staged
     * @param gathered snapshots published to the file
     * @param skipped boundaries at which all slots were in flight: a marker was gathered in place of heat
     * @param reclaimed slots taken back before anybody read them
     * @param timedOut gathers that timed out
     */
    public record Stats(long captured, long gathered, long skipped, long reclaimed, long timedOut) {}

    private HeatCapture() {}

    public static HeatCapture open(Device device, Communicator communicator, Options options) {
        throw new UnsupportedOperationException();
    }

    /** Resolves the gather of the boundary before and stages the counters of {@code step} behind what {@code compute} holds. */
    public Verdict begin(Stream compute, long step, Duration timeout) {
        throw new UnsupportedOperationException();
    }

    /** Issues the gather of the boundary that {@link #begin} has opened. */
    public void end(Vote vote) {
        throw new UnsupportedOperationException();
    }

    /** Writes the rank's state into the ring's header. */
    public void publish(RankState state) {
        throw new UnsupportedOperationException();
    }

    public Stats stats() {
        throw new UnsupportedOperationException();
    }

    /** Waits (bounded) for gathers under way, then marks the file as closed and unlinks nothing: its owner does. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
