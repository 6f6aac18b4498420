package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.device.api.plm_complete_fn;
import dev.plimsoll.device.api.plm_flip_cost;
import dev.plimsoll.device.api.plm_rank_state;
import dev.plimsoll.device.api.plm_ring_counts;
import dev.plimsoll.device.api.plm_ring_opts;
import dev.plimsoll.device.api.plm_segment;
import dev.plimsoll.device.api.plm_verdict;
import dev.plimsoll.device.api.plm_vote;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.BytePointer;
import org.jspecify.annotations.Nullable;

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
     * @param file the ring's file, one per rank, on tmpfs; created 0640; empty: none is written, only the listener hears
     *     of boundaries
     * @param deployment identifies the deployment in the file's header, at most 200 bytes of UTF-8
     * @param incarnation life of the deployment
     * @param rank this rank
     * @param ranks ranks of the group, the size of the communicator
     * @param layers MoE layers
     * @param slotsPerRank slots of one rank
     * @param boundarySteps K, steps between two boundaries
     * @param load what the load counters count
     * @param loadAddress device address of int64 counters, only growing: {@code [layer][local slot]} where they count tokens computed, else
     *     {@code [layer][slot of any rank]}
     * @param routedAddress device address of int64 {@code [layer]} counters: assignments (tokens × top-k) that this rank's
     *     router has made, only growing; the sum over ranks equals the sum of loads over all slots of the layer
     */
    public record Options(
            Optional<Path> file,
            String deployment,
            long incarnation,
            int rank,
            int ranks,
            int layers,
            int slotsPerRank,
            int boundarySteps,
            HeatRing.Load load,
            long loadAddress,
            long routedAddress) {
        /** Of an engine that counts tokens computed. */
        public Options(
                Optional<Path> file,
                String deployment,
                long incarnation,
                int rank,
                int ranks,
                int layers,
                int slotsPerRank,
                int boundarySteps,
                long loadAddress,
                long routedAddress) {
            this(
                    file,
                    deployment,
                    incarnation,
                    rank,
                    ranks,
                    layers,
                    slotsPerRank,
                    boundarySteps,
                    HeatRing.Load.COMPUTED,
                    loadAddress,
                    routedAddress);
        }
    }

    /**
     * What the ring has counted since it was opened.
     *
     * @param captured boundaries whose counters were staged
     * @param gathered snapshots published to the file
     * @param skipped boundaries at which all slots were in flight: a marker was gathered in place of heat
     * @param reclaimed slots taken back before anybody read them
     * @param timedOut gathers that timed out
     * @param alone snapshots published for this rank only: in gather mode none, or because the group was lost
     */
    public record Stats(long captured, long gathered, long skipped, long reclaimed, long timedOut, long alone) {}

    /** Told of every boundary that has ended, in order, on a thread of the library. Must not wait or close anything. */
    public interface Listener {
        void onEnded(long step, Verdict.Outcome outcome);
    }

    /** The one C function behind all listeners, as in {@link Stream}: a number tells the rings apart. */
    private static final plm_complete_fn DISPATCHER = new Dispatcher();

    private static final ConcurrentHashMap<Long, Listener> LISTENERS = new ConcurrentHashMap<>();

    private static final Verdict.Outcome[] OUTCOMES = Verdict.Outcome.values();

    private final long handle;
    // Reused at every boundary, by the dispatch thread alone.
    private final plm_verdict verdict = new plm_verdict();
    private final plm_vote words = new plm_vote();
    private volatile boolean closed;

    private HeatCapture(long handle) {
        this.handle = handle;
        verdict.size(verdict.sizeof());
    }

    /**
     * Creates the ring, its file if there is to be one, and the thread that gathers; waits for nobody.
     *
     * @param communicator serves this ring's gathers alone (and transfers); must outlive the ring
     */
    public static HeatCapture open(Device device, Communicator communicator, Options options) {
        return open(device, communicator.handle(), PlimsollApi.PLM_GATHER_HOST, options);
    }

    /** Creates a ring that gathers with nobody: it publishes this rank's load alone, and carries no votes. */
    public static HeatCapture openAlone(Device device, Options options) {
        return open(device, 0, PlimsollApi.PLM_GATHER_NONE, options);
    }

    private static HeatCapture open(Device device, long communicator, int gather, Options options) {
        long[] ring = new long[1];
        try (plm_ring_opts opts = new plm_ring_opts();
                plm_segment segments = new plm_segment(2);
                @Nullable
                        BytePointer file = options.file()
                                .map(path -> Native.utf8(path.toString()))
                                .orElse(null);
                BytePointer deployment = Native.utf8(options.deployment())) {
            opts.zero();
            opts.size(opts.sizeof());
            opts.rank(options.rank());
            opts.ranks(options.ranks());
            opts.layers(options.layers());
            opts.slots_per_rank(options.slotsPerRank());
            opts.boundary_steps(options.boundarySteps());
            opts.incarnation(options.incarnation());
            opts.gather(gather);
            segment(segments.position(0), kind(options.load()), options.loadAddress(), options.layers());
            segment(segments.position(1), PlimsollApi.PLM_SEGMENT_ROUTED, options.routedAddress(), options.layers());
            segments.position(0);
            Native.check(PlimsollApi.plm_ring_create(
                    device.handle(), communicator, file, deployment, opts, segments, 2, ring));
        }
        return new HeatCapture(ring[0]);
    }

    long handle() {
        return handle;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the ring is closed: a boundary belongs to an open one");
        }
    }

    private static int kind(HeatRing.Load load) {
        return switch (load) {
            case COMPUTED -> PlimsollApi.PLM_SEGMENT_LOAD;
            case ROUTED_TO -> PlimsollApi.PLM_SEGMENT_ROUTED_TO;
            case REPLICATED -> PlimsollApi.PLM_SEGMENT_REPLICATED;
        };
    }

    private static void segment(plm_segment segment, int kind, long address, int layers) {
        segment.device_address(address);
        segment.kind(kind);
        segment.element_bytes(Long.BYTES);
        segment.first_layer(0);
        segment.layers(layers);
    }

    /** Sets who is told of ended boundaries. */
    public void listen(Listener listener) {
        requireOpen();
        LISTENERS.put(handle, listener);
        Native.check(PlimsollApi.plm_ring_on_complete(handle, DISPATCHER, handle));
    }

    /**
     * Resolves the gather of the boundary before and stages the counters of {@code step} behind what {@code compute} holds.
     *
     * <p>After {@code TIMED_OUT} or {@code FAILED} the ring takes part in no further gather: it publishes this rank alone.
     * {@code TIMED_OUT} also aborts the communicator.
     *
     * @param step a multiple of K, and K more than the last
     * @param timeout bounds the wait that a last vote of 1 or 2 makes necessary
     */
    public Verdict begin(Stream compute, long step, Duration timeout) {
        requireOpen();
        Native.check(PlimsollApi.plm_boundary_begin(handle, compute.handle(), step, Native.millis(timeout), verdict));
        return new Verdict(OUTCOMES[verdict.outcome()], verdict.epoch(), verdict.batch(), verdict.level());
    }

    /** Issues the gather of the boundary that {@link #begin} has opened. */
    public void end(Vote vote) {
        end(vote, false);
    }

    /**
     * The same.
     *
     * @param mixed whether the steps before the boundary ran under more than one map, as the engine moved experts itself
     */
    public void end(Vote vote, boolean mixed) {
        requireOpen();
        words.incarnation(vote.incarnation());
        words.settled_version(vote.settledVersion());
        words.epoch(vote.epoch());
        words.batches_flipped((short) vote.batchesFlipped());
        words.batch((short) vote.batch());
        words.level((byte) vote.level());
        words.flags((byte) (mixed ? PlimsollApi.PLM_VOTE_MIXED : 0));
        words.plan_hash(vote.planHash());
        Native.check(PlimsollApi.plm_boundary_end(handle, words));
    }

    /**
     * Says that no step ran for so long, up to now, as there was nothing to do: it counts as idle, and not as the steps' time. What
     * nobody reports is the steps' time. Dispatch thread only.
     */
    public void idle(Duration stretch) {
        requireOpen();
        Native.check(PlimsollApi.plm_ring_idle(handle, stretch.toNanos()));
    }

    /**
     * Gives what steps have taken up to the boundary that comes next; from the first call on the library does not measure it. Dispatch
     * thread only.
     */
    public void clock(StepClock clock) {
        requireOpen();
        Native.check(PlimsollApi.plm_ring_clock(handle, clock.busyNanos(), clock.idleNanos()));
    }

    /** Writes what the flip of a batch took into the ring's header, before the state that has the batch; dispatch thread only. */
    public void publish(int epoch, int batch, FlipTimes flip) {
        try (plm_flip_cost words = new plm_flip_cost()) {
            words.size(words.sizeof());
            words.epoch(epoch);
            words.batch(batch);
            words.received_bytes(flip.receivedBytes());
            words.transfer_nanos(flip.transferNanos());
            words.flip_nanos(flip.flipNanos());
            Native.check(PlimsollApi.plm_flip_publish(handle, words));
        }
    }

    /** Writes the rank's state into the ring's header; dispatch thread only. */
    public void publish(RankState state) {
        try (plm_rank_state words = new plm_rank_state()) {
            words.size(words.sizeof());
            words.incarnation(state.incarnation());
            words.settled_version(state.settledVersion());
            words.epoch(state.epoch());
            words.phase(state.phase().ordinal());
            words.batches_flipped(state.batchesFlipped());
            words.plan_hash(state.planHash());
            words.refusal(state.refusal());
            words.fatal(state.fatal() ? 1 : 0);
            words.command_number(state.commandNumber());
            words.step(state.step());
            words.refused_epoch(state.refusedEpoch());
            words.refused_hash(state.refusedHash());
            words.refused_stopped(state.refusedStopped() ? 1 : 0);
            words.flags(state.flags());
            words.refused_peer(state.refusedPeer() + 1);
            Native.check(PlimsollApi.plm_state_publish(handle, words));
        }
    }

    /** What the ring has counted; any thread. */
    public Stats stats() {
        try (plm_ring_counts counts = new plm_ring_counts()) {
            counts.size(counts.sizeof());
            Native.check(PlimsollApi.plm_ring_stats(handle, counts));
            return new Stats(
                    counts.captured(),
                    counts.gathered(),
                    counts.skipped(),
                    counts.reclaimed(),
                    counts.timed_out(),
                    counts.alone());
        }
    }

    /**
     * Waits (bounded) for gathers under way, then marks the file as closed and unlinks nothing: its owner does.
     *
     * <p>A member that is gone costs this wait at most the communicator's timeout, and never more than 5 s.
     */
    @Override
    public synchronized void close() {
        if (!closed) {
            Native.check(PlimsollApi.plm_ring_destroy(handle, 5000));
            closed = true;
            LISTENERS.remove(handle);
            verdict.close();
            words.close();
        }
    }

    private static final class Dispatcher extends plm_complete_fn {
        /** An exception that leaves here ends the process, so none does. */
        @Override
        public void call(long ring, long step, int outcome) {
            try {
                Listener listener = LISTENERS.get(ring);
                if (listener != null) {
                    listener.onEnded(step, OUTCOMES[outcome]);
                }
            } catch (Throwable thrown) {
                Thread thread = Thread.currentThread();
                thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
            }
        }
    }
}
