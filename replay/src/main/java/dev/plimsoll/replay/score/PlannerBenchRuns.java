package dev.plimsoll.replay.score;

import dev.plimsoll.planner.placement.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * All runs of {@code plimsoll bench planner}: policies on workloads, on some threads.
 *
 * @param workload a file or a directory of them
 * @param layers some of each workload's, or all
 * @param progress told in words after every window, by any thread
 */
public record PlannerBenchRuns(
        Path workload,
        PlannerBench.Settings settings,
        Optional<Workload.Layers> layers,
        int threads,
        Consumer<String> progress) {

    /**
     * Every policy on every workload, spread in one way.
     *
     * @param problems told why a workload cannot be read to its end; it has no report then, and the others do
     */
    public List<PlannerBenchReport> of(List<String> policies, EpConfiguration configuration, Consumer<String> problems)
            throws Exception {
        List<Path> files = Workload.files(workload);
        Set<String> said = new LinkedHashSet<>();
        List<Callable<Optional<PlannerScores>>> tasks = new ArrayList<>();
        for (Path file : files) {
            for (String policy : policies) {
                Callable<PlannerScores> task =
                        task(file, configuration, policy, tasks.size() + 1, files.size() * policies.size());
                tasks.add(() -> {
                    try {
                        return Optional.of(task.call());
                    } catch (IOException e) {
                        synchronized (said) {
                            said.add(String.valueOf(e.getMessage())); // once, whatever the number of policies
                        }
                        return Optional.empty();
                    }
                });
            }
        }
        List<Optional<PlannerScores>> scores = InOrder.run(threads, tasks);
        said.forEach(problems);
        String arguments = "--workload " + workload + " --ranks " + configuration.ranks() + " --redundant "
                + configuration.redundant() + " --nodes " + configuration.nodes() + " --policy "
                + String.join(",", policies) + " --replan-every " + settings.replanEvery() + " --history "
                + settings.history() + layers.map(some -> " --layers " + some).orElse("");
        List<PlannerBenchReport> reports = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            List<PlannerScores> ofFile = scores.subList(i * policies.size(), (i + 1) * policies.size()).stream()
                    .flatMap(Optional::stream)
                    .toList();
            if (ofFile.size() == policies.size()) {
                reports.add(new PlannerBenchReport(
                        files.get(i).getFileName().toString(), configuration, ofFile, arguments, Machine.here()));
            }
        }
        return reports;
    }

    /** One policy on all that the public planners were run on. */
    public PeerReport beside(Path peers, String policy) throws Exception {
        List<PeerScores.Run> runs = on(workload, PeerScores.read(peers));
        List<Callable<PlannerScores>> tasks = new ArrayList<>();
        for (PeerScores.Run run : runs) {
            Path file = Files.isDirectory(workload) ? workload.resolve(run.workload()) : workload;
            tasks.add(task(file, run.configuration(), policy, tasks.size() + 1, runs.size()));
        }
        List<PlannerScores> scores = InOrder.run(threads, tasks);
        List<PeerComparison.Line> lines = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            lines.add(new PeerComparison.Line(runs.get(i), scores.get(i)));
        }
        return new PeerReport(
                policy,
                new PeerComparison(lines),
                "--workload " + workload + " --peers " + peers + " --policy " + policy + " --history "
                        + settings.history(),
                Machine.here());
    }

    /** Of a workload that is given alone its own runs, of a directory all. */
    public static List<PeerScores.Run> on(Path workload, PeerScores peers) {
        return peers.runs().stream()
                .filter(run -> Files.isDirectory(workload)
                        || run.workload().equals(workload.getFileName().toString()))
                .toList();
    }

    /** Each reads its workload anew, so that no more of them are in memory than threads run. */
    private Callable<PlannerScores> task(Path file, EpConfiguration configuration, String policy, int number, int of) {
        return () -> {
            Workload read = read(file);
            String what = "run " + number + " of " + of + ": " + policy + " on " + read.name() + ", " + configuration;
            return PlannerBench.run(read, configuration, Policy.named(policy), settings, (scored, windows) -> {
                if (Thread.currentThread().isInterrupted()) {
                    throw new IllegalStateException("stopped before the end: there is no result");
                }
                progress.accept(what + ": " + scored + " of " + windows + " windows");
            });
        };
    }

    private Workload read(Path file) throws IOException {
        return layers.isPresent() ? Workload.read(file, layers.get()) : Workload.read(file);
    }
}
