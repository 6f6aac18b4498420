package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.InOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * All runs of {@code plimsoll bench planner --trace}: contenders on a trace by numbers of tokens per step and ways to spread the model.
 *
 * @param history most windows that a plan is made from
 * @param threads contenders run side by side on
 * @param progress told in words after every window, by any thread
 */
public record TraceRuns(TokenTrace trace, TraceWindows.Cut cut, int history, int threads, Consumer<String> progress) {

    /** In the order of the numbers of tokens, and of configurations for each. */
    public List<TimeReport> of(
            List<Integer> tokensPerStep,
            List<EpConfiguration> configurations,
            List<Contender> contenders,
            DeviceProfile profile)
            throws Exception {
        List<TimeReport> reports = new ArrayList<>();
        for (int tokens : tokensPerStep) {
            TraceWindows windows = TraceWindows.of(trace, tokens, cut);
            for (EpConfiguration configuration : configurations) {
                reports.add(run(windows, configuration, contenders, profile));
            }
        }
        return reports;
    }

    private TimeReport run(
            TraceWindows windows, EpConfiguration configuration, List<Contender> contenders, DeviceProfile profile)
            throws Exception {
        var topology = configuration.topology(trace.model().experts());
        TraceBench bench = new TraceBench(windows, topology, profile);
        int served = windows.windows().size() - 1;
        List<Callable<TimeScores>> tasks = new ArrayList<>();
        for (Contender contender : contenders) {
            String what = contender.name() + " at " + windows.tokensPerStep() + " tokens a step, " + configuration;
            tasks.add(() -> bench.run(contender, history, done -> {
                if (Thread.currentThread().isInterrupted()) {
                    throw new IllegalStateException("stopped before the end: there is no result");
                }
                progress.accept(what + ": " + done + " of " + served + " windows");
            }));
        }
        return new TimeReport(
                new TimeReport.Subject(
                        "trace",
                        trace.model().name(),
                        windows.tokensPerStep(),
                        (double) windows.tokensPerStep() * trace.model().topK() / topology.slots()),
                configuration,
                profile.name(),
                served,
                InOrder.run(threads, tasks),
                bench.bound());
    }
}
