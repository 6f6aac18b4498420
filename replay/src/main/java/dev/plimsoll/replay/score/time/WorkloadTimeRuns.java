package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.InOrder;
import dev.plimsoll.replay.score.Workload;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * All runs of {@code plimsoll bench planner --workload --tokens-per-slot}: contenders on workloads by numbers of tokens per slot and step.
 *
 * @param files one workload each
 * @param layers some of each workload's, or all
 * @param profile by the model that a workload is of
 * @param history most windows that a plan is made from
 * @param threads runs side by side
 * @param progress told in words, by any thread
 */
public record WorkloadTimeRuns(
        List<Path> files,
        Optional<Workload.Layers> layers,
        Function<ModelShape, DeviceProfile> profile,
        int history,
        int threads,
        Consumer<String> progress) {

    /** In the order of the numbers of tokens, and of configurations and workloads for each. */
    public List<TimeReport> of(
            Batch per,
            List<Integer> batches,
            List<EpConfiguration> configurations,
            Function<DeviceProfile, List<Contender>> contenders)
            throws Exception {
        List<Callable<List<TimeReport>>> tasks = new ArrayList<>();
        int all = configurations.size() * files.size();
        for (EpConfiguration configuration : configurations) {
            for (Path file : files) {
                String what =
                        "run " + (tasks.size() + 1) + " of " + all + ": " + file.getFileName() + ", " + configuration;
                tasks.add(() -> {
                    Workload workload = layers.isPresent() ? Workload.read(file, layers.get()) : Workload.read(file);
                    DeviceProfile of = profile.apply(workload.shape());
                    List<Contender> lines = contenders.apply(of);
                    return new WorkloadTimeBench(workload, configuration, of, lines, per, batches, history)
                            .run(done -> {
                                if (Thread.currentThread().isInterrupted()) {
                                    throw new IllegalStateException("stopped before the end: there is no result");
                                }
                                progress.accept(what + ": " + done + " of " + lines.size() * batches.size() + " lines");
                            });
                });
            }
        }
        List<TimeReport> reports = new ArrayList<>();
        InOrder.run(threads, tasks).forEach(reports::addAll);
        reports.sort(Comparator.comparingInt(
                report -> batches.indexOf((int) report.subject().batch())));
        return reports;
    }
}
