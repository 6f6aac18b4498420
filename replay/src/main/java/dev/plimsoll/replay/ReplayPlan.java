package dev.plimsoll.replay;

import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.ReplayResult.Gap;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What a replay would find and take; nothing is written.
 *
 * @param windows that are there
 * @param usable of these
 * @param completeness mean over them, 0 to 1
 * @param load tokens times top-k over all layers, of all of them
 * @param gaps stretches of which there is no window
 * @param live what was decided when it happened
 * @param runs policies times configurations
 * @param calibrated windows that were replayed to tell how long it takes
 * @param windowsPerSecond through all runs, on this machine
 * @param notes of the source
 */
public record ReplayPlan(
        long windows,
        long usable,
        double completeness,
        long load,
        List<Gap> gaps,
        Optional<PolicyRun> live,
        int runs,
        int calibrated,
        double windowsPerSecond,
        List<String> notes) {
    private static final double NANOS = 1e9;

    public ReplayPlan {
        gaps = List.copyOf(gaps);
        notes = List.copyOf(notes);
    }

    /**
     * Replays for a short time and reads the rest.
     *
     * @param calibration about how long to replay
     * @param stopped asked between windows
     */
    public static ReplayPlan of(
            History history,
            List<RunSpec> specs,
            Duration stepTime,
            int threads,
            Duration calibration,
            BooleanSupplier stopped)
            throws IOException, InterruptedException {
        PastWindows past = new PastWindows();
        int calibrated = 0;
        double perSecond = 0;
        try (Replay replay = new Replay(history, specs, stepTime, threads, Optional.empty())) {
            long began = System.nanoTime();
            // The first windows warm the JVM up and take longer than the others: of two halves, the second counts.
            long half = began + calibration.toNanos() / 2;
            long from = began;
            int before = 0;
            boolean more = true;
            while (more && System.nanoTime() - began < calibration.toNanos() && !stopped.getAsBoolean()) {
                more = replay.advance();
                if (System.nanoTime() < half) {
                    from = System.nanoTime();
                    before = replay.windows();
                }
            }
            calibrated = replay.windows();
            int counted = calibrated > before ? calibrated - before : calibrated;
            long took = System.nanoTime() - (calibrated > before ? from : began);
            perSecond = counted / Math.max(1e-9, took / NANOS);
            replay.past().windows().forEach(past::add);
        }
        for (Optional<HistoryWindow> next = history.next();
                next.isPresent() && !stopped.getAsBoolean();
                next = history.next()) {
            past.add(next.orElseThrow().facts());
        }
        List<PastWindow> windows = past.windows();
        return new ReplayPlan(
                windows.size(),
                windows.stream().filter(PastWindow::usable).count(),
                windows.stream().mapToDouble(PastWindow::completeness).average().orElse(0),
                windows.stream().mapToLong(PastWindow::load).sum(),
                past.gaps(),
                history.live(),
                specs.size(),
                calibrated,
                perSecond,
                history.notes());
    }

    /** What it would take here. */
    public Duration time() {
        return Duration.ofMillis(windowsPerSecond > 0 ? Math.round(1000 * windows / windowsPerSecond) : 0);
    }
}
