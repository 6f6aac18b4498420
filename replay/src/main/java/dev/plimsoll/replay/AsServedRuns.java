package dev.plimsoll.replay;

import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.InOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * All runs of {@code plimsoll bench planner --as-served}: choices of policy and settings on workloads, on some threads.
 *
 * @param choices at least one
 * @param progress told in words before every run, by any thread
 */
public record AsServedRuns(
        List<PolicyChoice> choices,
        Duration stepTime,
        OptionalLong bytesPerExpert,
        int threads,
        Consumer<String> progress) {
    /**
     * What settings were before decisions were measured on the same tokens, by name: the gate learns nothing, and moves have the price
     * that policies are scored with.
     */
    public static final String BEFORE =
            ":experience=off,rollback=off,minimum-gain=0.01,minimum-held-out-gain=0.005,same-node-price=1,other-node-price=1";

    private static final PolicyChoice STATIC = PolicyChoice.parse("static");

    /** A workload and how it is spread. */
    public record Run(Path workload, EpConfiguration configuration) {}

    public AsServedRuns {
        choices = List.copyOf(choices);
    }

    /** Every choice on every run, in their order. */
    public AsServedReport of(List<Run> runs) throws Exception {
        List<Callable<AsServedScores>> tasks = new ArrayList<>();
        for (Run run : runs) {
            tasks.add(task(run, STATIC));
            choices.forEach(choice -> tasks.add(task(run, choice)));
        }
        List<AsServedScores> scores = InOrder.run(threads, tasks);
        List<AsServedReport.Line> lines = new ArrayList<>();
        int each = 1 + choices.size();
        for (int i = 0; i < runs.size(); i++) {
            lines.add(new AsServedReport.Line(
                    String.valueOf(runs.get(i).workload().getFileName()),
                    runs.get(i).configuration(),
                    scores.get(i * each),
                    scores.subList(i * each + 1, (i + 1) * each)));
        }
        return new AsServedReport(lines);
    }

    private Callable<AsServedScores> task(Run run, PolicyChoice choice) {
        return () -> {
            progress.accept(choice.name() + " on " + run.workload().getFileName() + ", " + run.configuration());
            return AsServedBench.run(run.workload(), run.configuration(), choice, stepTime, bytesPerExpert);
        };
    }
}
