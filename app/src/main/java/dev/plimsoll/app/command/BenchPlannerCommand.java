package dev.plimsoll.app.command;

import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.ParetoChart;
import dev.plimsoll.replay.score.ParetoSvg;
import dev.plimsoll.replay.score.PeerReport;
import dev.plimsoll.replay.score.PlannerBench;
import dev.plimsoll.replay.score.PlannerBenchReport;
import dev.plimsoll.replay.score.PlannerBenchRuns;
import dev.plimsoll.replay.score.Workload;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
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
    @Nullable
    private Path workload;

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
            description = "Most windows that a plan is made from (default: ${DEFAULT-VALUE}).")
    private int history = 48;

    @Option(names = "--layers", paramLabel = "A..B", description = "Layers from A to B only, counted from 0.")
    @Nullable
    private String layers;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "1",
            description = "Policies and workloads run side by side: faster, with the same scores and noisier times"
                    + " (default: ${DEFAULT-VALUE}).")
    private int threads = 1;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description =
                    "text, json: one line for each workload, or with --peers markdown (default: ${DEFAULT-VALUE}).")
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
        problems.require(workload != null, "--workload is missing");
        Optional<PlannerBenchFiles> files =
                Optional.ofNullable(workload).map(path -> new PlannerBenchFiles(path, problems));
        if (peers == null) {
            problems.require(ranks != null, "--ranks is missing; or give --peers");
            problems.require(output != Form.MARKDOWN, "--output markdown is for --peers only");
            Optional<Workload.Layers> some = checkedLayers(problems);
            files.ifPresent(there -> there.check(configuration(), some));
        } else {
            problems.require(
                    ranks == null && redundant == null && nodes == null && layers == null && replanEvery == null,
                    "--peers says what to run: leave out --ranks, --redundant, --nodes, --layers and --replan-every");
            problems.require(policies.size() <= 1, "--peers compares one policy, not " + policies);
            Path file = peers;
            files.ifPresent(there -> there.check(file));
        }
    }

    private Optional<Workload.Layers> checkedLayers(Problems problems) {
        try {
            return layers();
        } catch (IllegalArgumentException e) {
            problems.add("", e);
            return Optional.empty();
        }
    }

    private Optional<Workload.Layers> layers() {
        return Optional.ofNullable(layers).map(Workload.Layers::parse);
    }

    private Optional<EpConfiguration> configuration() {
        return Optional.ofNullable(ranks)
                .map(of -> new EpConfiguration(of, redundant == null ? of : redundant, nodes == null ? 1 : nodes));
    }

    @Override
    public Integer call() throws Exception {
        lastNotice = System.nanoTime();
        if (workload == null) {
            throw new IllegalStateException("--workload was there when options were checked");
        }
        PlannerBench.Settings settings = new PlannerBench.Settings(replanEvery == null ? 1 : replanEvery, history);
        PlannerBenchRuns runs = new PlannerBenchRuns(workload, settings, layers(), threads, this::notice);
        PrintWriter out = commandSpec().commandLine().getOut();
        if (peers != null) {
            PeerReport report =
                    runs.beside(peers, policies.isEmpty() ? PlannerSettings.DEFAULTS.policy() : policies.get(0));
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
        List<String> unread = new ArrayList<>();
        List<PlannerBenchReport> reports = runs.of(
                policies.isEmpty() ? Policy.NAMES : policies.stream().distinct().toList(),
                configuration().orElseThrow(),
                unread::add);
        for (PlannerBenchReport report : reports) {
            out.println(output == Form.JSON ? report.json() : report.text());
        }
        if (output != Form.JSON && !reports.isEmpty()) {
            out.println(reports.get(0).howTaken());
        }
        out.flush();
        draw(reports.stream().map(PlannerBenchReport::chart).toList());
        unread.forEach(problem -> commandSpec().commandLine().getErr().println("plimsoll: --workload " + problem));
        commandSpec().commandLine().getErr().flush();
        return unread.isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private void draw(List<ParetoChart> charts) throws IOException {
        if (svg != null && !charts.isEmpty()) {
            Files.writeString(svg, ParetoSvg.of(charts));
        }
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
