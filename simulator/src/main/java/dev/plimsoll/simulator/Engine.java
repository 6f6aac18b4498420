package dev.plimsoll.simulator;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.Device;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mixture-of-experts engine over simulated ranks: all ranks of a deployment, or a block of them with other processes holding
 * the rest.
 *
 * <p>A step has two kernels per rank: route (every rank sends its tokens through its own map to slots) and compute (every rank
 * looks at the weights of the slots its tokens came to). All ranks are in lock step between the two, and before the next step,
 * as collectives make them in a real engine.
 *
 * <p>After steps K, 2K, … have been enqueued, and before the next step's first kernel, the dispatch thread calls the hook of
 * every rank, in order of ranks, whatever one of them orders. The compute streams are not synchronised before hooks: what a
 * hook enqueues runs behind the step's kernels and before the next step's.
 *
 * <p>Threads: one dispatch thread drives all steps and calls all hooks; {@link #start}, {@link #stop}, {@link #totals} and
 * {@link #close} may be called by any other thread.
 */
public final class Engine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);
    /** How late a stop may be noticed while waiting for the next step. */
    private static final long MAX_PARK_NANOS = 50_000_000L;

    /** How long the step under way may take to end before its exchange is aborted. */
    private static final Duration STOP_GRACE = Duration.ofSeconds(2);

    private static final BoundaryHook NO_HOOK = step -> BoundaryHook.Order.GO_ON;

    private final EngineSettings settings;
    private final Traffic traffic;
    private final EngineListener listener;
    private final AssignmentExchange exchange;
    private final SimulatedRank[] ranks;
    private final BoundaryHook[] hooks;
    private final Runnable[] routeKernels;
    private final Runnable[] computeKernels;
    private final short[] picks;
    private final Hardware hardware;
    private final Optional<DeviceTime> time;
    private final Optional<UnmovedTime> unmoved;

    private final ExecutorService dispatch;
    private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final AtomicLong stepsDone = new AtomicLong();

    // The dispatch thread's own.
    private long enqueued;
    /** Lanes of the step under way: changes only when all streams are synchronised. */
    private int lanes;

    private long lastBoundary;
    /** A move of the engine's own that is under way. */
    private Optional<OwnMove> move = Optional.empty();
    /** Step of the compute kernels under way: changes only when all streams are synchronised. */
    private long computing;

    private enum State {
        IDLE,
        RUNNING,
        /** Left the group or failed: cannot step again. */
        OVER,
        CLOSED
    }

    /** The one thread that drives an engine; a class of its own so that it can be told from others. */
    private static final class DispatchThread extends Thread {
        DispatchThread(Runnable target) {
            super(target, "plimsoll-dispatch");
        }
    }

    Engine(
            Hardware hardware,
            EngineSettings settings,
            Placement initial,
            Traffic traffic,
            EngineListener listener,
            AssignmentExchange exchange) {
        requireFit(settings, initial, traffic, exchange);
        this.hardware = hardware;
        this.settings = settings;
        this.traffic = traffic;
        this.listener = listener;
        this.exchange = exchange;
        picks = new short[traffic.picksPerStep()];
        time = settings.device()
                .map(device -> new DeviceTime(
                        device, settings.model().layers(), settings.topology().slotsPerRank()));
        unmoved = settings.device()
                .map(device -> new UnmovedTime(device, settings.model(), settings.topology(), initial));
        dispatch = Executors.newSingleThreadExecutor(DispatchThread::new);
        ranks = ranks(hardware, settings, initial, listener);
        hooks = new BoundaryHook[ranks.length];
        Arrays.fill(hooks, NO_HOOK);
        routeKernels = new Runnable[ranks.length];
        computeKernels = new Runnable[ranks.length];
        for (int i = 0; i < ranks.length; i++) {
            SimulatedRank rank = ranks[i];
            routeKernels[i] = () -> rank.route(picks, lanes);
            computeKernels[i] = () -> rank.compute(computing, ranks, exchange);
        }
    }

    /** An engine that holds all ranks. Starts nothing but the streams' threads; {@code traffic} is the engine's from now on. */
    public static Engine open(
            Device device, EngineSettings settings, Placement initial, Traffic traffic, EngineListener listener) {
        return new Engine(
                Hardware.of(device), settings, initial, traffic, listener, AssignmentExchange.alone(settings));
    }

    /**
     * An engine that holds a block of ranks; the other processes of the group hold the blocks before and after it, in order.
     *
     * @param traffic equal in all processes: same source, options and seed
     */
    public static Engine open(
            Device device,
            EngineSettings settings,
            Placement initial,
            Traffic traffic,
            EngineListener listener,
            ProcessGroup group) {
        Communicator communicator =
                join(device, group, AssignmentExchange.contributionBytes(settings), settings.stepTimeout());
        AssignmentExchange exchange = AssignmentExchange.among(
                Exchange.of(communicator), settings, group.processes(), group.process(), group.survives());
        try {
            return new Engine(Hardware.of(device), settings, initial, traffic, listener, exchange);
        } catch (RuntimeException e) {
            exchange.close();
            throw e;
        }
    }

    private static Communicator join(Device device, ProcessGroup group, long bytes, Duration timeout) {
        if (group.meeting() instanceof Meeting.OnOneMachine here) {
            return Communicator.open(
                    device, here.segment(), group.life(), group.processes(), group.process(), bytes, 0, timeout);
        }
        Meeting.ByAddress there = (Meeting.ByAddress) group.meeting();
        return Communicator.overTcp(
                device,
                there.engine(),
                there.secretFile(),
                group.life(),
                group.processes(),
                group.process(),
                bytes,
                0,
                timeout);
    }

    public EngineSettings settings() {
        return settings;
    }

    /** A rank of this process. */
    public SimulatedRank rank(RankId rank) {
        return ranks[local(rank)];
    }

    /** What is called at the boundaries of a rank; replaces what was there, and must not be called while the engine runs. */
    public void hook(RankId rank, BoundaryHook hook) {
        if (state.get() == State.RUNNING) {
            throw new IllegalStateException("hooks must be set before the engine runs");
        }
        hooks[local(rank)] = hook;
    }

    /** Steps until {@code untilStep} steps are done or something else ends it; waits for that. */
    public Ending run(long untilStep) {
        return start(untilStep).join();
    }

    /** As {@link #run}, without waiting. An engine that was stopped may be started again. */
    public CompletableFuture<Ending> start(long untilStep) {
        if (!state.compareAndSet(State.IDLE, State.RUNNING)) {
            throw new IllegalStateException("an engine starts when it is idle; this one is " + state.get());
        }
        stopping.set(false);
        return CompletableFuture.supplyAsync(() -> steps(untilStep), dispatch);
    }

    /** Asks for an end after the step under way, or in a group after the next one; does not wait. */
    public void stop() {
        stopping.set(true);
    }

    /** Runs something on the dispatch thread, between steps only when the engine is idle: what hooks own is closed there. */
    public void onDispatchThread(Runnable task, Duration timeout) {
        try {
            CompletableFuture.runAsync(task, dispatch).get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IllegalStateException("the dispatch thread was busy for " + timeout, e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a task failed on the dispatch thread", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the dispatch thread", e);
        }
    }

    public Totals totals() {
        long tokens = 0;
        long computed = 0;
        long misrouted = 0;
        for (SimulatedRank rank : ranks) {
            tokens += rank.tokens();
            computed += rank.computed();
            misrouted += rank.misrouted();
        }
        long routed = tokens * settings.model().layers() * settings.model().topK();
        return new Totals(stepsDone.get(), tokens, routed, computed, misrouted);
    }

    /**
     * What the steps so far would have taken on the device of the settings; empty where they have none. On the dispatch thread, or
     * when the engine has stopped; elsewhere its numbers may be of two steps that follow each other.
     */
    public Optional<DeviceTotals> deviceTotals() {
        return time.flatMap(moved ->
                unmoved.map(without -> new DeviceTotals(moved.steps(), moved.elapsedNanos(), without.elapsedNanos())));
    }

    /** The first few misrouted tokens of each rank. */
    public List<MisroutedToken> firstMisrouted() {
        List<MisroutedToken> first = new ArrayList<>();
        for (SimulatedRank rank : ranks) {
            first.addAll(rank.firstMisrouted());
        }
        return first;
    }

    /**
     * Stops, then closes streams, memory and exchange. What else uses them (heat captures, transfers) must be closed between
     * {@link #stop} and this. A stream that does not end keeps its memory: a leak is better than a write to freed memory.
     */
    @Override
    public void close() {
        stop();
        if (state.getAndSet(State.CLOSED) == State.CLOSED) {
            return;
        }
        dispatch.shutdown();
        if (!ended(STOP_GRACE)) {
            // Most likely it waits for processes that are gone.
            exchange.abort();
            if (!ended(settings.stepTimeout().plus(STOP_GRACE))) {
                LOG.error("the dispatch thread did not end: streams, memory and exchange stay open");
                return;
            }
        }
        endMove();
        close(Arrays.asList(ranks));
        exchange.close();
    }

    private boolean ended(Duration timeout) {
        try {
            return dispatch.awaitTermination(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private Ending steps(long untilStep) {
        Ending ending;
        try {
            ending = stepsUntil(untilStep);
        } catch (RuntimeException e) {
            LOG.error("engine failed in step {}", enqueued, e);
            ending = new Ending(Ending.Reason.FAILED, stepsDone.get(), e.toString());
        }
        boolean over = ending.reason() == Ending.Reason.FAILED || ending.reason() == Ending.Reason.LEFT_GROUP;
        if (over) {
            LOG.warn("engine ended after {} steps: {}", ending.step(), ending.detail());
            leave();
        }
        state.compareAndSet(State.RUNNING, over ? State.OVER : State.IDLE);
        listener.ended(ending);
        return ending;
    }

    private Ending stepsUntil(long untilStep) {
        Pace pace = new Pace(settings.stepsPerSecond());
        boolean groupStops = false;
        long launched = 0;
        while (true) {
            Optional<String> left = boundary();
            long began = System.nanoTime();
            synchronize();
            if (enqueued > stepsDone.get()) {
                listener.stepped(enqueued, launched + System.nanoTime() - began);
            }
            stepsDone.set(enqueued);
            if (left.isPresent()) {
                return new Ending(Ending.Reason.LEFT_GROUP, enqueued, left.get());
            }
            if (enqueued >= untilStep) {
                return new Ending(Ending.Reason.REACHED, enqueued, "reached step " + untilStep);
            }
            if (groupStops || (exchange.alone() && stopping.get())) {
                return new Ending(Ending.Reason.STOPPED, enqueued, "stopped on request");
            }
            await(pace);
            boolean lastStep = stopping.get() || enqueued + 1 >= untilStep;
            began = System.nanoTime();
            AssignmentExchange.Intent group =
                    step(lastStep ? AssignmentExchange.Intent.STOP : AssignmentExchange.Intent.GO_ON);
            launched = System.nanoTime() - began;
            switch (group) {
                case LEFT -> {
                    return new Ending(Ending.Reason.LEFT_GROUP, enqueued, "another process left the group");
                }
                case STOP -> groupStops = !exchange.alone();
                case GO_ON -> {}
            }
        }
    }

    /** Calls all hooks if the last step enqueued ends at a boundary; tells which rank must leave, if any. */
    private Optional<String> boundary() {
        if (enqueued % settings.boundarySteps() != 0 || enqueued == lastBoundary) {
            return Optional.empty();
        }
        lastBoundary = enqueued;
        Optional<String> left = Optional.empty();
        long total = 0;
        for (int i = 0; i < hooks.length; i++) {
            long begin = System.nanoTime();
            BoundaryHook.Order order = hooks[i].atBoundary(enqueued);
            long nanos = System.nanoTime() - begin;
            total += nanos;
            listener.boundary(enqueued, ranks[i].rank(), nanos);
            if (order == BoundaryHook.Order.LEAVE_GROUP && left.isEmpty()) {
                // The hooks of the other ranks are still called: their gathers at this boundary are awaited by all.
                left = Optional.of(
                        "rank " + ranks[i].rank() + " was ordered to leave the group at boundary " + enqueued);
            }
        }
        listener.boundaryDone(enqueued, total);
        return left;
    }

    private AssignmentExchange.Intent step(AssignmentExchange.Intent intent) {
        traffic.step(enqueued, picks);
        lanes = traffic.lanes(enqueued);
        move();
        launch(routeKernels);
        synchronize();
        int fingerprint = exchange.alone() ? 0 : 31 * Arrays.hashCode(picks) + lanes;
        if (!exchange.alone()) {
            time.ifPresent(counted -> exchange.tell(counted.slowest()));
        }
        AssignmentExchange.Intent group =
                exchange.exchange(enqueued, intent, fingerprint, ranks, settings.stepTimeout());
        if (group != AssignmentExchange.Intent.LEFT) {
            computing = enqueued;
            launch(computeKernels);
            time.ifPresent(this::count);
            unmoved.ifPresent(counted -> counted.step(enqueued, picks, lanes));
            enqueued++;
        }
        return group;
    }

    /** Goes on with a move of the engine's own by a layer, or begins one that all ranks have been ordered to make. */
    private void move() {
        if (move.map(OwnMove::over).orElse(false)) {
            endMove();
            for (SimulatedRank rank : ranks) {
                rank.readBack();
            }
        }
        if (move.isEmpty()) {
            move = ordered().map(target -> new OwnMove(hardware, settings, ranks, target));
        }
        move.ifPresent(under -> under.layer(this::synchronize));
    }

    private void endMove() {
        move.ifPresent(OwnMove::close);
        move = Optional.empty();
    }

    private Optional<int[]> ordered() {
        for (SimulatedRank rank : ranks) {
            if (rank.ordered().isEmpty()) {
                return Optional.empty();
            }
        }
        int[] target = ranks[0].ordered().orElseThrow();
        for (SimulatedRank rank : ranks) {
            if (!Arrays.equals(rank.ordered().orElseThrow(), target)) {
                throw new IllegalStateException("ranks 0 and " + rank.rank() + " were ordered to move to other maps");
            }
            rank.begin();
        }
        if (!exchange.alone()) {
            throw new IllegalStateException(
                    "an engine that moves weights by itself must have all ranks in one process: the others' weights"
                            + " are not here");
        }
        return Optional.of(target);
    }

    /**
     * Counts the step under way while its kernels run. Where other processes hold ranks, theirs are known in the next exchange only:
     * what is known at a boundary is then without its last step.
     */
    private void count(DeviceTime counted) {
        if (!exchange.alone() && enqueued > 0) {
            counted.endOfStep(enqueued - 1, exchange.slowest());
        }
        for (SimulatedRank rank : ranks) {
            rank.eachToken(ranks, exchange, counted::token);
            counted.endOfRank();
        }
        if (exchange.alone()) {
            counted.endOfStep(enqueued, counted.slowest());
        }
    }

    private void launch(Runnable[] kernels) {
        for (int i = 0; i < ranks.length; i++) {
            ranks[i].compute().launch(kernels[i]);
        }
    }

    private void synchronize() {
        for (SimulatedRank rank : ranks) {
            rank.compute().synchronize(settings.stepTimeout());
        }
    }

    private void await(Pace pace) {
        long deadline = pace.nextDeadline(System.nanoTime());
        long wait = deadline - System.nanoTime();
        while (wait > 0 && !stopping.get()) {
            LockSupport.parkNanos(Math.min(wait, MAX_PARK_NANOS));
            wait = deadline - System.nanoTime();
        }
    }

    /** Tells the group, so that the others need not wait for a timeout; they may be gone themselves. */
    private void leave() {
        try {
            exchange.leave(enqueued, settings.stepTimeout());
        } catch (RuntimeException e) {
            LOG.warn("could not tell the other processes: {}", e.toString());
        }
    }

    private SimulatedRank[] ranks(
            Hardware hardware, EngineSettings settings, Placement initial, EngineListener listener) {
        List<SimulatedRank> opened = new ArrayList<>();
        try {
            for (int i = 0; i < settings.ranks(); i++) {
                opened.add(new SimulatedRank(
                        hardware,
                        settings,
                        settings.firstRank() + i,
                        initial,
                        listener,
                        Engine::requireDispatchThread,
                        () -> time.map(counted -> new StepClock(counted.elapsedNanos(), 0))));
            }
        } catch (RuntimeException e) {
            close(opened);
            throw e;
        }
        return opened.toArray(SimulatedRank[]::new);
    }

    private static void close(List<SimulatedRank> ranks) {
        for (SimulatedRank rank : ranks) {
            try {
                rank.close();
            } catch (RuntimeException e) {
                LOG.error("rank {} stays open", rank.rank(), e);
            }
        }
    }

    private static void requireDispatchThread() {
        if (!(Thread.currentThread() instanceof DispatchThread)) {
            throw new IllegalStateException("thread " + Thread.currentThread().getName()
                    + " called what belongs to the engine's dispatch thread: do it in a boundary hook");
        }
    }

    private int local(RankId rank) {
        int local = rank.index() - settings.firstRank();
        if (local < 0 || local >= ranks.length) {
            throw new IllegalArgumentException(rank + " is not one of this process: it has [" + settings.firstRank()
                    + ", " + (settings.firstRank() + settings.ranks()) + ")");
        }
        return local;
    }

    private static void requireFit(
            EngineSettings settings, Placement initial, Traffic traffic, AssignmentExchange exchange) {
        String model =
                settings.model().layers() + " layers, " + settings.model().experts() + " experts, top-"
                        + settings.model().topK() + ", " + settings.tokensPerStep() + " tokens per step";
        String offered = traffic.layers() + " layers, " + traffic.experts() + " experts, top-" + traffic.topK() + ", "
                + traffic.lanes() + " tokens per step";
        if (!model.equals(offered)) {
            throw new IllegalArgumentException("the traffic has " + offered + ", the engine " + model);
        }
        if (initial.layers() != settings.model().layers()
                || initial.slots() != settings.topology().slots()) {
            throw new IllegalArgumentException(
                    initial + " does not fit " + settings.model().layers() + " layers × "
                            + settings.topology().slots() + " slots");
        }
        if (exchange.alone() && settings.ranks() < settings.topology().ranks()) {
            throw new IllegalArgumentException("this process has " + settings.ranks() + " of "
                    + settings.topology().ranks() + " ranks: give a process group");
        }
    }
}
