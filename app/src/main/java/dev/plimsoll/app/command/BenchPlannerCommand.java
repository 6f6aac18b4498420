package dev.plimsoll.app.command;

import dev.plimsoll.model.DeviceProfile;
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
import dev.plimsoll.replay.score.time.Contender;
import dev.plimsoll.replay.score.time.TimeReport;
import dev.plimsoll.replay.score.time.TimeTable;
import dev.plimsoll.replay.score.time.TokenTrace;
import dev.plimsoll.replay.score.time.TraceRuns;
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
import picocli.CommandLine.Mixin;
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
            description = "Load, [window][sub-sample][layer][expert] tokens: .npy or .npy.gz, uint16 or uint32; of a"
                    + " directory, all such files.")
    @Nullable
    private Path workload;

    @Mixin
    private TimeBenchOptions time = new TimeBenchOptions();

    @Option(
            names = "--ranks",
            paramLabel = "R",
            split = ",",
            description = "Ranks of the deployment; with --trace any number of them.")
    private List<Integer> ranks = new ArrayList<>();

    @Option(
            names = "--redundant",
            paramLabel = "X",
            split = ",",
            description = "Slots beyond the experts, over all ranks (default: one per rank); with --trace any number of"
                    + " them, in all pairs with --ranks that divide evenly.")
    private List<Integer> redundant = new ArrayList<>();

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
                    "text, json: one line for each workload or each run on the trace, or with --peers or --trace markdown"
                            + " (default: ${DEFAULT-VALUE}).")
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

    private List<EpConfiguration> configurations = List.of();
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
        time.check(problems);
        problems.require(
                (workload == null) == time.traced(),
                time.traced()
                        ? "--workload and --trace are alternatives: leave one out"
                        : "--workload is missing; or give --trace");
        if (time.traced()) {
            checkTrace(problems);
            return;
        }
        problems.require(
                ranks.size() <= 1 && redundant.size() <= 1,
                "--ranks and --redundant are one number each without --trace");
        Optional<PlannerBenchFiles> files =
                Optional.ofNullable(workload).map(path -> new PlannerBenchFiles(path, problems));
        if (peers == null) {
            problems.require(!ranks.isEmpty(), "--ranks is missing; or give --peers");
            problems.require(output != Form.MARKDOWN, "--output markdown is for --peers and --trace only");
            Optional<Workload.Layers> some = checkedLayers(problems);
            files.ifPresent(there -> there.check(configuration(), some));
        } else {
            problems.require(
                    ranks.isEmpty() && redundant.isEmpty() && nodes == null && layers == null && replanEvery == null,
                    "--peers says what to run: leave out --ranks, --redundant, --nodes, --layers and --replan-every");
            problems.require(policies.size() <= 1, "--peers compares one policy, not " + policies);
            Path file = peers;
            files.ifPresent(there -> there.check(file));
        }
    }

    private void checkTrace(Problems problems) {
        problems.require(
                peers == null && layers == null && replanEvery == null && svg == null,
                "--peers, --layers, --replan-every and --svg are for --workload only");
        problems.require(!ranks.isEmpty(), "--ranks is missing");
        configurations = time.configurations(ranks, redundant, nodes == null ? 1 : nodes, problems);
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
        return ranks.stream()
                .findFirst()
                .map(of -> new EpConfiguration(
                        of, redundant.isEmpty() ? of : redundant.get(0), nodes == null ? 1 : nodes));
    }

    @Override
    public Integer call() throws Exception {
        lastNotice = System.nanoTime();
        if (time.traced()) {
            return callTrace();
        }
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
        List<PlannerBenchReport> reports = runs.of(chosen(), configuration().orElseThrow(), unread::add);
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

    private int callTrace() throws Exception {
        TokenTrace trace = time.trace();
        DeviceProfile profile = time.profile(trace.model());
        List<TimeReport> reports = new TraceRuns(trace, time.cut(), history, threads, this::notice)
                .of(
                        time.tokensPerStep(),
                        configurations,
                        Contender.of(chosen(), time.objective(), time.idleSlots(), profile),
                        profile);
        PrintWriter out = commandSpec().commandLine().getOut();
        switch (output) {
            case JSON -> reports.forEach(report -> out.println(report.json()));
            case MARKDOWN -> out.print(new TimeTable(reports).markdown());
            case TEXT -> reports.forEach(report -> out.println(report.text()));
        }
        out.flush();
        return ExitCode.OK;
    }

    private List<String> chosen() {
        return policies.isEmpty() ? Policy.NAMES : policies.stream().distinct().toList();
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
