package dev.plimsoll.app.command;

import dev.plimsoll.app.bench.EpConfiguration;
import dev.plimsoll.app.bench.InOrder;
import dev.plimsoll.app.bench.Machine;
import dev.plimsoll.app.bench.ParetoChart;
import dev.plimsoll.app.bench.PeerComparison;
import dev.plimsoll.app.bench.PeerReport;
import dev.plimsoll.app.bench.PeerScores;
import dev.plimsoll.app.bench.PlannerBench;
import dev.plimsoll.app.bench.PlannerBenchReport;
import dev.plimsoll.app.bench.PlannerScores;
import dev.plimsoll.app.bench.Workload;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Policy;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How well policies place experts for load that they have not seen, how much they move for it, and how long they take. */
@Command(
        name = "planner",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Score policies on recorded load: plan from the windows up to t, serve the plan, score it on window t + 1.",
            "Starts at the placement that engines start with. Scores depend on the arguments alone; times are processor"
                    + " time of the planning thread."
        })
public final class BenchPlannerCommand implements Callable<Integer>, Validated {
    private static final int MOST_THREADS = 256;
    private static final long NOTICE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How the result is printed. */
    enum Form {
        TEXT,
        JSON,
        MARKDOWN
    }

    @Option(
            names = "--workload",
            paramLabel = "FILE|DIR",
            required = true,
            description = "Load, [window][sub-sample][layer][expert] tokens: .npy or .npy.gz, uint16 or uint32; of a"
                    + " directory, all such files.")
    private Path workload = Path.of("");

    @Option(names = "--ranks", paramLabel = "R", description = "Ranks of the deployment.")
    @Nullable
    private Integer ranks;

    @Option(
            names = "--redundant",
            paramLabel = "X",
            description = "Slots beyond the experts, over all ranks (default: one per rank).")
    @Nullable
    private Integer redundant;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            description = "Nodes that the ranks are spread over in equal blocks (default: 1).")
    @Nullable
    private Integer nodes;

    @Option(
            names = "--peers",
            paramLabel = "FILE",
            description = "Scores of public planners: run one policy on all that the file has, instead of --ranks,"
                    + " --redundant and --nodes, and print the comparison.")
    @Nullable
    private Path peers;

    @Option(
            names = "--policy",
            paramLabel = "NAME",
            split = ",",
            description = "Policies to score (default: all; with --peers the planner's own).")
    private List<String> policies = new ArrayList<>();

    @Option(
            names = "--replan-every",
            paramLabel = "WINDOWS",
            description = "Windows from one plan to the next; all windows are scored (default: 1).")
    @Nullable
    private Integer replanEvery;

    @Option(
            names = "--history",
            paramLabel = "WINDOWS",
            defaultValue = "48",
            description = "Most windows that a plan is made from (default: 48).")
    private int history = 48;

    @Option(names = "--layers", paramLabel = "A..B", description = "Layers from A to B only, counted from 0.")
    @Nullable
    private String layers;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "1",
            description = "Policies and workloads run side by side: faster, with the same scores and noisier times"
                    + " (default: 1).")
    private int threads = 1;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text, json: one line for each workload, or with --peers markdown (default: text).")
    private Form output = Form.TEXT;

    @Option(
            names = "--svg",
            paramLabel = "FILE",
            description = "Also write balancedness against moves as a picture: a panel for each workload,"
                    + " or with --peers the means over all runs.")
    @Nullable
    private Path svg;

    @Spec
    @Nullable
    private CommandSpec spec;

    private long lastNotice;

    @Override
    public void check(Problems problems) {
        problems.require(history >= 1, "--history must be at least 1, not " + history);
        problems.require(
                threads >= 1 && threads <= MOST_THREADS, "--threads must be 1 to " + MOST_THREADS + ", not " + threads);
        problems.require(
                replanEvery == null || replanEvery >= 1, "--replan-every must be at least 1, not " + replanEvery);
        for (String policy : policies) {
            try {
                Policy.named(policy);
            } catch (IllegalArgumentException e) {
                problems.add("--policy: ", e);
            }
        }
        if (svg != null) {
            Path directory = svg.toAbsolutePath().getParent();
            problems.require(
                    directory != null && Files.isWritable(directory) && !Files.isDirectory(svg),
                    "--svg " + svg + " cannot be written: name a file in a directory that is there");
        }
        Map<Path, Workload.Size> sizes = sizes(problems);
        if (peers == null) {
            checkAlone(sizes, problems);
        } else {
            checkBesidePeers(peers, sizes, problems);
        }
    }

    private void checkAlone(Map<Path, Workload.Size> sizes, Problems problems) {
        problems.require(ranks != null, "--ranks is missing; or give --peers");
        problems.require(output != Form.MARKDOWN, "--output markdown is for --peers only");
        Workload.@Nullable Layers wanted = null;
        if (layers != null) {
            try {
                wanted = Workload.Layers.parse(layers);
            } catch (IllegalArgumentException e) {
                problems.add("", e);
            }
        }
        List<String> found = new ArrayList<>();
        for (Map.Entry<Path, Workload.Size> file : sizes.entrySet()) {
            if (ranks != null) {
                found.addAll(configuration(ranks)
                        .problems(
                                file.getKey().getFileName().toString(),
                                file.getValue().experts()));
            }
            if (wanted != null && wanted.last() >= file.getValue().layers()) {
                found.add("--layers " + layers + ": " + file.getKey().getFileName() + " has layers 0.."
                        + (file.getValue().layers() - 1));
            }
        }
        found.stream().distinct().forEach(problems::add);
    }

    private void checkBesidePeers(Path file, Map<Path, Workload.Size> sizes, Problems problems) {
        problems.require(
                ranks == null && redundant == null && nodes == null && layers == null && replanEvery == null,
                "--peers says what to run: leave out --ranks, --redundant, --nodes, --layers and --replan-every");
        problems.require(policies.size() <= 1, "--peers compares one policy, not " + policies);
        try {
            PeerScores scores = PeerScores.read(file);
            Map<String, Workload.Size> byName = sizes.entrySet().stream()
                    .collect(Collectors.toMap(
                            entry -> entry.getKey().getFileName().toString(),
                            Map.Entry::getValue,
                            (one, other) -> one,
                            LinkedHashMap::new));
            List<PeerScores.Run> runs = runs(scores);
            problems.require(
                    !runs.isEmpty() || problems.any(),
                    "--peers " + file + " has no scores of public planners on " + workload);
            List<String> found = new ArrayList<>();
            for (PeerScores.Run run : runs) {
                Workload.Size size = byName.get(run.workload());
                if (size == null) {
                    found.add("--workload " + workload + " lacks " + run.workload() + ", which --peers has scores on");
                    continue;
                }
                found.addAll(run.configuration().problems(run.workload(), size.experts()));
                for (PeerScores.Score score : run.scores()) {
                    if (score.windowsScored() < 1 || score.windowsScored() > size.windows() - 1) {
                        found.add("--peers has " + score.windowsScored() + " windows scored by " + score.policy()
                                + " on " + run.workload() + ", which has " + size.windows() + " windows");
                    }
                }
            }
            found.stream().distinct().forEach(problems::add);
        } catch (IOException e) {
            problems.add("--peers " + (e instanceof FileSystemException ? "cannot be read: " : ""), e);
        }
    }

    /** By file; what cannot be read is noted. */
    private Map<Path, Workload.Size> sizes(Problems problems) {
        Map<Path, Workload.Size> sizes = new LinkedHashMap<>();
        if (workload.toString().isEmpty()) {
            return sizes;
        }
        if (!Files.isReadable(workload)) {
            problems.add("--workload " + workload + " cannot be read");
            return sizes;
        }
        try {
            List<Path> files = Workload.files(workload);
            problems.require(!files.isEmpty(), "--workload " + workload + " holds no .npy and no .npy.gz");
            for (Path file : files) {
                try {
                    sizes.put(file, Workload.size(file));
                } catch (IOException e) {
                    problems.add("--workload ", e);
                }
            }
        } catch (IOException e) {
            problems.add("--workload ", e);
        }
        return sizes;
    }

    /** Of a file that is given alone, its own runs; of a directory all. */
    private List<PeerScores.Run> runs(PeerScores scores) {
        return scores.runs().stream()
                .filter(run -> Files.isDirectory(workload)
                        || run.workload().equals(workload.getFileName().toString()))
                .toList();
    }

    private EpConfiguration configuration(int ofRanks) {
        return new EpConfiguration(ofRanks, redundant == null ? ofRanks : redundant, nodes == null ? 1 : nodes);
    }

    private PlannerBench.Settings settings() {
        return new PlannerBench.Settings(replanEvery == null ? 1 : replanEvery, history);
    }

    @Override
    public Integer call() throws Exception {
        lastNotice = System.nanoTime();
        PrintWriter out = commandSpec().commandLine().getOut();
        if (peers != null) {
            PeerReport report = besidePeers(peers);
            out.print(
                    switch (output) {
                        case JSON -> report.json() + System.lineSeparator();
                        case MARKDOWN -> report.markdown();
                        case TEXT -> report.text();
                    });
            out.flush();
            draw(List.of(report.chart()));
            return 0;
        }
        List<PlannerBenchReport> reports = alone();
        out.print(reports.stream()
                .map(report -> output == Form.JSON ? report.json() + System.lineSeparator() : report.text())
                .collect(Collectors.joining(output == Form.JSON ? "" : System.lineSeparator())));
        if (output == Form.TEXT) {
            reports.stream().limit(1).forEach(report -> out.println(report.howTaken()));
        }
        out.flush();
        draw(reports.stream().map(PlannerBenchReport::chart).toList());
        return 0;
    }

    private void draw(List<ParetoChart> charts) throws IOException {
        if (svg != null) {
            Files.writeString(svg, ParetoChart.svg(charts));
        }
    }

    private List<PlannerBenchReport> alone() throws Exception {
        if (ranks == null) {
            throw new IllegalStateException("checked before");
        }
        EpConfiguration configuration = configuration(ranks);
        List<String> names =
                policies.isEmpty() ? Policy.NAMES : policies.stream().distinct().toList();
        List<Path> files = Workload.files(workload);
        List<Callable<PlannerScores>> tasks = new ArrayList<>();
        for (Path file : files) {
            for (String name : names) {
                tasks.add(task(file, configuration, name, tasks.size() + 1, files.size() * names.size()));
            }
        }
        List<PlannerScores> scores = InOrder.run(threads, tasks);
        List<PlannerBenchReport> reports = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            reports.add(new PlannerBenchReport(
                    files.get(i).getFileName().toString(),
                    configuration,
                    scores.subList(i * names.size(), (i + 1) * names.size()),
                    arguments(names, configuration),
                    Machine.here()));
        }
        return reports;
    }

    private String arguments(List<String> names, EpConfiguration configuration) {
        return "--workload " + workload + " --ranks " + configuration.ranks() + " --redundant "
                + configuration.redundant() + " --nodes " + configuration.nodes() + " --policy "
                + String.join(",", names) + " --replan-every "
                + settings().replanEvery() + " --history " + history + (layers == null ? "" : " --layers " + layers);
    }

    private PeerReport besidePeers(Path file) throws Exception {
        String name = policies.isEmpty() ? PlannerSettings.DEFAULTS.policy() : policies.get(0);
        List<PeerScores.Run> runs = runs(PeerScores.read(file));
        List<Callable<PlannerScores>> tasks = new ArrayList<>();
        for (PeerScores.Run run : runs) {
            Path ofRun = Files.isDirectory(workload) ? workload.resolve(run.workload()) : workload;
            tasks.add(task(ofRun, run.configuration(), name, tasks.size() + 1, runs.size()));
        }
        List<PlannerScores> scores = InOrder.run(threads, tasks);
        List<PeerComparison.Line> lines = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            lines.add(new PeerComparison.Line(runs.get(i), scores.get(i)));
        }
        return new PeerReport(
                name,
                new PeerComparison(lines),
                "--workload " + workload + " --peers " + file + " --policy " + name + " --history " + history,
                Machine.here());
    }

    /** Each reads its workload anew, so that no more of them are in memory than threads run. */
    private Callable<PlannerScores> task(Path file, EpConfiguration configuration, String policy, int number, int of) {
        return () -> {
            Workload read = layers == null ? Workload.read(file) : Workload.read(file, Workload.Layers.parse(layers));
            String what = "run " + number + " of " + of + ": " + policy + " on " + read.name() + ", " + configuration;
            return PlannerBench.run(read, configuration, Policy.named(policy), settings(), (scored, windows) -> {
                if (Thread.currentThread().isInterrupted()) {
                    throw new IllegalStateException("stopped before the end: there is no result");
                }
                notice(what + ": " + scored + " of " + windows + " windows");
            });
        };
    }

    /** One line a second at most, and none when it is over within the first. */
    private synchronized void notice(String line) {
        long now = System.nanoTime();
        if (now - lastNotice >= NOTICE_NANOS) {
            lastNotice = now;
            PrintWriter err = commandSpec().commandLine().getErr();
            err.println(line);
            err.flush();
        }
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification of a command before it runs");
        }
        return spec;
    }
}
