package dev.plimsoll.replay;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.WindowHistory;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The past through several policies at once: every window is read once and goes through all of them, and loads of a few windows
 * are in memory at a time. What is told of every window and of every run in it stays: some hundred bytes each. What comes out does not depend on the number of threads.
 *
 * <p>Threads start with it and end with {@link #close}.
 */
public final class Replay implements AutoCloseable {
    /** Windows that are read before all runs go through them: few waits for each other, and little memory. */
    private static final int AT_ONCE = 8;

    /** What a run was and did at the end of a window. */
    private record Seen(Placement placement, double balancedness, int moves) {}

    private record Running(RunSpec spec, PolicyReplay replay, MeasuredPolicy measured, Optional<PlanJournal> journal) {}

    private final History history;
    private final long stepMillis;
    private final List<Running> runs = new ArrayList<>();
    private final ExecutorService threads;
    private final Matrices matrices;
    private final PastWindows past = new PastWindows();
    /** What a plan at the end would look back on. */
    private final WindowHistory newest;

    private final ModelShape shape;
    /** {@code [layer][expert]} of all usable windows. */
    private final long[][] totals;

    private boolean ended;

    /**
     * @param stepTime of a step, where the past does not say when a window was closed
     * @param threadCount that work at the same time, over all runs
     * @param journals directory that plans are kept in, for a replay that goes on with them; none are kept without
     */
    public Replay(History history, List<RunSpec> specs, Duration stepTime, int threadCount, Optional<Path> journals)
            throws IOException {
        this.history = history;
        this.stepMillis = Math.max(1, stepTime.toMillis());
        this.shape = history.members().shape();
        this.newest = new WindowHistory(specs.stream()
                .mapToInt(spec -> spec.settings().historyWindows())
                .max()
                .orElse(1));
        this.totals = new long[shape.layers()][shape.experts()];
        int sideBySide = Math.max(1, Math.min(threadCount, specs.size()));
        this.threads = Executors.newFixedThreadPool(sideBySide, task -> {
            Thread thread = new Thread(task, "replay-runs");
            thread.setDaemon(true);
            return thread;
        });
        long numbers = (long) shape.layers() * shape.experts();
        for (RunSpec spec : specs) {
            numbers += (long) shape.layers() * spec.members().topology().slots();
        }
        this.matrices = new Matrices(numbers);
        try {
            for (int i = 0; i < specs.size(); i++) {
                runs.add(running(specs.get(i), i, Math.max(1, threadCount / sideBySide), journals));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** What every replay takes for granted, one line each. */
    public static List<String> assumptions(Duration stepTime) {
        return List.of(
                "which experts a token picks does not depend on where they are: the same tokens are served under other placements",
                "an expert's tokens split evenly over its replicas: balancedness counts fractions of tokens, what the planner reads are whole ones",
                "a plan from window t is flipped during window t + 1: one batch at the end of every part of it, from the first on;"
                        + " where windows have one part, at their end",
                "ranks accept at once, and plans take no time",
                "where the source has no times, a step takes " + stepTime.toMillis() + " ms");
    }

    private Running running(RunSpec spec, int number, int planThreads, Optional<Path> journals) throws IOException {
        MeasuredPolicy measured =
                new MeasuredPolicy(Policy.named(spec.settings().policy()));
        Optional<PlanJournal> journal = Optional.empty();
        if (journals.isPresent()) {
            journal = Optional.of(
                    PlanJournal.open(measured, journals.orElseThrow().resolve("run-" + number + ".plans")));
        }
        Policy policy = journal.<Policy>map(kept -> kept).orElse(measured);
        return new Running(
                spec, new PolicyReplay(spec, policy, planThreads, history.expertBytesKnown(), 0), measured, journal);
    }

    /** Tells somebody all that a run would have written to the topics, from now on. */
    public void publish(int run, Publication to) {
        runs.get(run).replay().publish(to);
    }

    /** Takes some windows through all runs; whether there may be more. */
    public boolean advance() throws IOException, InterruptedException {
        List<HistoryWindow> windows = new ArrayList<>();
        while (windows.size() < AT_ONCE && !ended) {
            Optional<HistoryWindow> next = history.next();
            next.ifPresent(windows::add);
            next.ifPresent(window -> past.add(window.facts()));
            ended = next.isEmpty();
        }
        List<Callable<List<Seen>>> work = new ArrayList<>();
        runs.forEach(run -> work.add(
                () -> windows.stream().map(window -> through(run, window)).toList()));
        List<List<Seen>> seen = new ArrayList<>();
        try {
            for (Future<List<Seen>> of : threads.invokeAll(work)) {
                seen.add(of.get());
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        }
        for (int i = 0; i < windows.size(); i++) {
            int at = i;
            windows.get(i)
                    .load()
                    .ifPresent(load ->
                            keep(load, seen.stream().map(of -> of.get(at)).toList()));
        }
        return !ended;
    }

    private Seen through(Running run, HistoryWindow window) {
        PolicyReplay replay = run.replay();
        PastWindow facts = window.facts();
        replay.window(window, facts.closedAtMillis() > 0 ? facts.closedAtMillis() : facts.lastStep() * stepMillis);
        return new Seen(
                replay.placement(),
                replay.newest().map(ServedWindow::mean).orElse(Double.NaN),
                replay.movesDecidedOn(facts.index()));
    }

    private void keep(ExpertLoad load, List<Seen> seen) {
        for (int layer = 0; layer < totals.length; layer++) {
            for (int expert = 0; expert < totals[layer].length; expert++) {
                totals[layer][expert] = Math.addExact(totals[layer][expert], load.at(layer, expert));
            }
        }
        newest.add(load, 0, 0);
        matrices.offer(
                load,
                seen.stream().mapToInt(Seen::moves).max().orElse(0),
                seen.stream()
                        .mapToDouble(Seen::balancedness)
                        .filter(Double::isFinite)
                        .min()
                        .orElse(Double.NaN),
                seen.stream().map(Seen::placement).toList());
    }

    /** Windows that have gone by. */
    public int windows() {
        return past.count();
    }

    PastWindows past() {
        return past;
    }

    /**
     * What an engine should start with, by one run's policy: its plan from the newest windows, on top of what was served last. Before a
     * start moves are free, so neither the gate nor a budget is asked, and one window is enough. What was served last where no window
     * could be used.
     */
    public Placement startingPlacement(int run) {
        Placement served = runs.get(run).replay().placement();
        RunSpec spec = runs.get(run).spec();
        List<ExpertLoad> loads = newest.newest(spec.settings().historyWindows()).loads();
        if (loads.isEmpty()) {
            return served;
        }
        return Policy.named(spec.settings().policy())
                .plan(new PlanRequest(
                                loads,
                                served,
                                shape,
                                spec.members().topology(),
                                Budget.UNLIMITED,
                                spec.settings().prices(),
                                spec.settings().seed())
                        .withParts(ReplicaParts.of(spec.members(), loads)))
                .target();
    }

    /** A copy of the load of every expert over all usable windows so far, {@code [layer][expert]}. */
    public long[][] totals() {
        return Arrays.stream(totals).map(long[]::clone).toArray(long[][]::new);
    }

    /** Processor time that the plans of each run took. */
    public List<Double> planMillis() {
        return runs.stream().map(run -> run.measured().millis()).toList();
    }

    /** All that came of it so far. */
    public ReplayResult result(Provenance provenance) {
        List<PolicyRun> found = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            found.add(runs.get(i).replay().result(runs.get(i).measured().millis(), matrices.placements(i)));
        }
        return new ReplayResult(
                provenance,
                shape,
                past.windows(),
                past.gaps(),
                history.live().map(List::of).orElse(List.of()),
                found,
                matrices.matrices());
    }

    /** Each, whatever becomes of the others; then the first failure is told, with the others. */
    static void closeAll(List<? extends AutoCloseable> open) throws IOException {
        Optional<Exception> failure = Optional.empty();
        for (AutoCloseable one : open) {
            try {
                one.close();
            } catch (Exception e) {
                failure.ifPresent(first -> first.addSuppressed(e));
                failure = failure.isPresent() ? failure : Optional.of(e);
            }
        }
        if (failure.isPresent()) {
            if (failure.orElseThrow() instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            throw failure.orElseThrow() instanceof IOException io ? io : new IOException(failure.orElseThrow());
        }
    }

    @Override
    public void close() throws IOException {
        List<AutoCloseable> open = new ArrayList<>(List.of(threads::shutdownNow));
        for (Running run : runs) {
            open.add(run.replay());
            run.journal().ifPresent(open::add);
        }
        closeAll(open);
    }
}
