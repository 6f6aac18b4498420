package dev.plimsoll.device;

import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.device.api.plm_agent_opts;
import dev.plimsoll.device.api.plm_boundary;
import dev.plimsoll.device.api.plm_flip_fn;
import dev.plimsoll.device.api.plm_note;
import dev.plimsoll.device.api.plm_rank;
import dev.plimsoll.device.api.plm_rank_state;
import dev.plimsoll.device.api.plm_weights;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.IntPointer;

/**
 * All of Plimsoll's work at one rank's boundaries, as the library does it: resolve and stage, act on the verdict, hear orders, vote,
 * issue.
 *
 * <p>Lives in the engine's process and is called on its dispatch thread. It waits, bounded by the flip timeout, only when this rank's
 * last vote was 1 or 2. What befalls the group, the mailbox or a transfer is told to the listener and never thrown.
 */
public final class RankAgent implements BoundaryHook, AutoCloseable {

    /**
     * What a rank begins with.
     *
     * @param settledVersion version of the placement that this incarnation starts with
     * @param experts experts of a layer
     * @param stagingBytes room for incoming weights, which the library allocates; 0 where the engine moves weights itself
     * @param flipTimeout how long a boundary may wait for the others where this rank has voted 1 or 2
     * @param manifest hash of names, types and shapes of an expert's tensors: ranks with another refuse each other's weights
     * @param leastBytesPerSecond a slower transfer has failed; 0: the library's own
     * @param engineMoves whether the engine moves weights itself: {@link EngineRank#move}
     */
    public record Options(
            int settledVersion,
            int experts,
            long stagingBytes,
            Duration flipTimeout,
            long manifest,
            long leastBytesPerSecond,
            boolean engineMoves) {}

    private static final long CLOSE_MILLIS = 5000;
    private static final ConcurrentHashMap<Long, RankAgent> AGENTS = new ConcurrentHashMap<>();
    private static final AtomicLong NEXT = new AtomicLong();

    /** The one C function behind all flips, as in {@link Stream}: a number tells the agents apart. */
    private static final plm_flip_fn DISPATCHER = new Dispatcher();

    private final long id = NEXT.incrementAndGet();
    private final HeatCapture ring;
    private final EngineRank engine;
    private final AgentListener listener;
    private final int cells;
    private final long handle;
    // Reused at every boundary, by the dispatch thread alone.
    private final plm_boundary boundary = new plm_boundary();
    private final plm_note note = new plm_note();
    private boolean moving;
    private boolean left;
    private boolean closed;

    private RankAgent(
            HeatCapture ring,
            Optional<Communicator> communicator,
            PlanMailbox mailbox,
            EngineRank engine,
            Options options,
            int[] placement,
            AgentListener listener) {
        this.ring = ring;
        this.engine = engine;
        this.listener = listener;
        cells = placement.length;
        boundary.size(boundary.sizeof());
        note.size(note.sizeof());
        List<WeightTensor> tensors = options.engineMoves() ? List.of() : engine.weights();
        long[] agent = new long[1];
        try (plm_agent_opts opts = new plm_agent_opts();
                IntPointer experts = new IntPointer(placement);
                plm_weights weights = new plm_weights(Math.max(1, tensors.size()))) {
            opts.zero();
            opts.size(opts.sizeof());
            opts.flags(options.engineMoves() ? PlimsollApi.PLM_RANK_ENGINE_MOVES : 0);
            opts.settled_version(options.settledVersion());
            opts.experts(options.experts());
            opts.placement(experts);
            opts.staging_bytes(options.stagingBytes());
            opts.flip_timeout_ms(Native.millis(options.flipTimeout()));
            opts.manifest(options.manifest());
            opts.least_bytes_per_second(options.leastBytesPerSecond());
            opts.flip(options.engineMoves() ? null : DISPATCHER);
            opts.user(id);
            for (int i = 0; i < tensors.size(); i++) {
                WeightTensor tensor = tensors.get(i);
                weights.position(i)
                        .device_address(tensor.address())
                        .stride(tensor.stride())
                        .bytes(tensor.bytes())
                        .layer(tensor.layer());
            }
            weights.position(0);
            Native.check(PlimsollApi.plm_agent_open(
                    ring.handle(),
                    communicator.map(Communicator::handle).orElse(0L),
                    mailbox.handle(),
                    opts,
                    weights,
                    tensors.size(),
                    agent));
        }
        handle = agent[0];
    }

    /**
     * Opens the agent, with its staging memory; call before the first step.
     *
     * @param ring of this rank, open as long as this
     * @param communicator this rank's member of the group; empty where the ring gathers with nobody
     * @param mailbox where this rank's orders come in
     * @param placement {@code [layer][slot]} flattened: the expert of every slot of the deployment that this incarnation starts with, its
     *     complement where the slot stands idle; equal on all ranks
     */
    public static RankAgent open(
            HeatCapture ring,
            Optional<Communicator> communicator,
            PlanMailbox mailbox,
            EngineRank engine,
            Options options,
            int[] placement,
            AgentListener listener) {
        RankAgent opened = new RankAgent(ring, communicator, mailbox, engine, options, placement, listener);
        AGENTS.put(opened.id, opened);
        return opened;
    }

    @Override
    public Order atBoundary(long step) {
        long started = System.nanoTime();
        if (left) {
            return Order.LEAVE_GROUP;
        }
        tellTime();
        lookAtMove();
        Native.check(
                PlimsollApi.plm_agent_boundary(handle, engine.computeStream().handle(), step, boundary));
        for (int i = boundary.notes(); i > 0; i--) {
            if (Native.check(PlimsollApi.plm_agent_note(handle, note)) == Native.PENDING) {
                break;
            }
            tell();
        }
        if (boundary.move() != 0 && !moving) {
            moving = true;
            int[] target = new int[cells];
            Native.check(PlimsollApi.plm_agent_target(handle, target, cells));
            engine.move(target);
        }
        left = boundary.leave() != 0;
        listener.onBoundary(step, System.nanoTime() - started);
        return left ? Order.LEAVE_GROUP : Order.GO_ON;
    }

    /** A clock that runs backwards costs samples their time, and nobody a step. */
    private void tellTime() {
        try {
            engine.stepClock().ifPresent(ring::clock);
        } catch (DeviceException e) {
            listener.onUntimed("time of steps: " + e.getMessage());
        }
    }

    private void lookAtMove() {
        if (!moving) {
            return;
        }
        Optional<int[]> map = engine.moved();
        if (map.isPresent()) {
            moving = false;
            Native.check(PlimsollApi.plm_agent_moved(handle, map.get(), map.get().length));
        }
    }

    private void tell() {
        int epoch = note.epoch();
        int batch = note.batch();
        long step = note.step();
        switch (note.kind()) {
            case PlimsollApi.PLM_NOTE_TRANSFERS_STARTED -> listener.onTransfersStarted(epoch, batch, step);
            case PlimsollApi.PLM_NOTE_TRANSFER_FAILED -> listener.onTransferFailed(epoch, batch, text());
            case PlimsollApi.PLM_NOTE_FLIPPED -> listener.onFlipped(epoch, batch, step);
            case PlimsollApi.PLM_NOTE_REFUSED -> listener.onRefused(epoch, note.code(), text());
            case PlimsollApi.PLM_NOTE_IGNORED -> listener.onIgnored(epoch, note.code(), text());
            case PlimsollApi.PLM_NOTE_UNREADABLE -> listener.onUnreadable(text());
            case PlimsollApi.PLM_NOTE_UNTIMED -> listener.onUntimed(text());
            case PlimsollApi.PLM_NOTE_GROUP_ABANDONED -> listener.onGroupAbandoned(step, text());
            case PlimsollApi.PLM_NOTE_FATAL -> listener.onFatal(step, text());
            case PlimsollApi.PLM_NOTE_MOVE -> listener.onMoveOrdered(epoch, step);
            default -> {
                // A newer library tells more than is known here.
            }
        }
    }

    private String text() {
        return note.text().getString();
    }

    /**
     * Asks whether the engine may load other weights into its slots, in place; dispatch thread, before any is touched.
     *
     * @return true: nothing of Plimsoll reads or writes a slot until {@link #reloaded}, but what the compute stream holds already. False: run
     *     to the next boundary and ask again; some are enough
     */
    public boolean reload() {
        return Native.check(PlimsollApi.plm_agent_reload(handle)) == Native.OK;
    }

    /**
     * Says that all slots hold the weights of a generation; dispatch thread. Without leave of {@link #reload}, before the next boundary, which
     * may then say that the rank has to leave its group.
     *
     * @param generation equal on ranks that hold the same checkpoint and on no others; 0 at the start of an incarnation
     */
    public void reloaded(long generation) {
        Native.check(PlimsollApi.plm_agent_reloaded(handle, generation));
    }

    /** Where the rank is; any time on the dispatch thread. */
    public RankState state() {
        try (plm_rank rank = new plm_rank();
                plm_rank_state state = new plm_rank_state()) {
            rank.size(rank.sizeof());
            state.zero();
            state.size(state.sizeof());
            Native.check(PlimsollApi.plm_agent_state(handle, rank));
            Native.check(PlimsollApi.plm_rank_describe(rank, state));
            return new RankState(
                    state.incarnation(),
                    state.settled_version(),
                    state.epoch(),
                    RankPhase.of(state.phase()),
                    state.batches_flipped(),
                    state.plan_hash(),
                    state.refusal(),
                    state.fatal() != 0,
                    state.command_number(),
                    state.step(),
                    state.refused_epoch(),
                    state.refused_hash(),
                    state.refused_stopped() != 0,
                    state.flags(),
                    state.refused_peer() - 1);
        }
    }

    /**
     * Ends what is under way and frees the staging memory; dispatch thread, after the compute stream has run dry. Throws, with the agent
     * still there, when a transfer does not let go of its memory within 5 s.
     */
    @Override
    public void close() {
        if (!closed) {
            Native.check(PlimsollApi.plm_agent_close(handle, CLOSE_MILLIS));
            closed = true;
            AGENTS.remove(id);
            boundary.close();
            note.close();
        }
    }

    private void flip(int layer, IntPointer slots, IntPointer experts, IntPointer inUse, int count) {
        int[] changed = new int[count];
        int[] held = new int[count];
        int[] used = new int[count];
        slots.get(changed, 0, count);
        experts.get(held, 0, count);
        inUse.get(used, 0, count);
        boolean[] use = new boolean[count];
        for (int i = 0; i < count; i++) {
            use[i] = used[i] != 0;
        }
        engine.flipMap(layer, changed, held, use);
    }

    private static final class Dispatcher extends plm_flip_fn {
        /** An exception that leaves here ends the process, so it becomes an answer: the rank must leave its group. */
        @Override
        public int call(long id, int layer, IntPointer slots, IntPointer experts, IntPointer inUse, int count) {
            RankAgent agent = AGENTS.get(id);
            if (agent == null) {
                return PlimsollApi.PLM_E_STATE;
            }
            try {
                agent.flip(layer, slots, experts, inUse, count);
                return PlimsollApi.PLM_OK;
            } catch (Throwable thrown) {
                agent.listener.onFatal(-1, "flip of layer " + layer + " failed: " + thrown);
                return PlimsollApi.PLM_E_DEVICE;
            }
        }
    }
}
