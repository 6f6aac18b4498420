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
 * @param threads runs side by side
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
        List<Callable<TimeReport>> tasks = new ArrayList<>();
        int all = tokensPerStep.size() * configurations.size();
        for (int tokens : tokensPerStep) {
            for (EpConfiguration configuration : configurations) {
                String what =
                        "run " + (tasks.size() + 1) + " of " + all + ": " + tokens + " tokens a step, " + configuration;
                tasks.add(() -> {
                    TraceWindows windows = TraceWindows.of(trace, tokens, cut);
                    return new TraceBench(windows, configuration, profile, contenders, history).run(done -> {
                        if (Thread.currentThread().isInterrupted()) {
                            throw new IllegalStateException("stopped before the end: there is no result");
                        }
                        progress.accept(what + ": " + done + " of " + (cut.windows() - 1) + " windows");
                    });
                });
            }
        }
        return InOrder.run(threads, tasks);
    }
}
