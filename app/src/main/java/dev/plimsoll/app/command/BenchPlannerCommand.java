package dev.plimsoll.app.command;

import dev.plimsoll.app.Logs;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.AsServedReport;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.ParetoChart;
import dev.plimsoll.replay.score.ParetoSvg;
import dev.plimsoll.replay.score.PeerReport;
import dev.plimsoll.replay.score.PlannerBench;
import dev.plimsoll.replay.score.PlannerBenchReport;
import dev.plimsoll.replay.score.PlannerBenchRuns;
import dev.plimsoll.replay.score.Workload;
import dev.plimsoll.replay.score.time.Batch;
import dev.plimsoll.replay.score.time.Contender;
import dev.plimsoll.replay.score.time.TimeReport;
import dev.plimsoll.replay.score.time.TimeTable;
import dev.plimsoll.replay.score.time.TraceRuns;
import dev.plimsoll.replay.score.time.WorkloadTimeRuns;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
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

    @Option(
            names = "--tokens-per-slot",
            paramLabel = "N",
            split = ",",
            description =
                    "Score --workload by what experts are expected to take where a slot gets so many tokens in a step"
                            + " on average, such as 4,32,256.")
    private List<Integer> tokensPerSlot = new ArrayList<>();

    @Mixin
    private TimeBenchOptions time = new TimeBenchOptions();

    @Mixin
    private AsServedOptions asServed = new AsServedOptions();

    @Option(
            names = "--ranks",
            paramLabel = "R",
            split = ",",
            description = "Ranks of the deployment; with --trace or --tokens-per-slot several.")
    private List<Integer> ranks = new ArrayList<>();

    @Option(
            names = "--redundant",
            paramLabel = "X",
            split = ",",
            description = "Slots beyond the experts, over all ranks (default: one per rank); with --trace or"
                    + " --tokens-per-slot several, in all pairs with --ranks; on a trace in those that divide evenly.")
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
                    "text, json: one line for each workload or each number of tokens; or markdown, with --peers, --trace or"
                            + " --tokens-per-slot"
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
    private final NoticeLine notices = new NoticeLine();

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
        time.check(tokensPerSlot, "--tokens-per-slot", problems);
        problems.require(
                (workload == null) == time.traced(),
                time.traced()
                        ? "--workload and --trace are alternatives: leave one out"
                        : "--workload is missing; or give --trace");
        asServed.check(served(), problems);
        problems.require(
                !asServed.wanted() || !timed() && replanEvery == null && layers == null && svg == null,
                "--as-served goes without --trace, --tokens-per-slot, --replan-every, --layers and --svg");
        if (timed()) {
            checkTime(problems);
        } else {
            checkTokens(problems);
        }
    }

    /** Whether time is scored, rather than balancedness. */
    private boolean timed() {
        return time.traced() || !tokensPerSlot.isEmpty();
    }

    private void checkTokens(Problems problems) {
        problems.require(
                ranks.size() <= 1 && redundant.size() <= 1,
                "--ranks and --redundant are one number each without --trace and --tokens-per-slot");
        Optional<PlannerBenchFiles> files =
                Optional.ofNullable(workload).map(path -> new PlannerBenchFiles(path, problems));
        if (peers == null) {
            problems.require(!ranks.isEmpty(), "--ranks is missing; or give --peers");
            problems.require(
                    output != Form.MARKDOWN || asServed.wanted(),
                    "--output markdown is for --peers, --trace, --tokens-per-slot and --as-served only");
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

    private void checkTime(Problems problems) {
        problems.require(
                peers == null && replanEvery == null && svg == null,
                "--peers, --replan-every and --svg are not for --trace and --tokens-per-slot");
        problems.require(!ranks.isEmpty(), "--ranks is missing");
        int of = nodes == null ? 1 : nodes;
        if (time.traced()) {
            problems.require(layers == null, "--layers is for --workload only");
            configurations = time.configurations(ranks, redundant, of, problems);
        } else {
            configurations = TimeBenchOptions.pairs(ranks, redundant, of);
            Optional<Workload.Layers> some = checkedLayers(problems);
            Optional.ofNullable(workload)
                    .map(path -> new PlannerBenchFiles(path, problems))
                    .ifPresent(files -> configurations.forEach(pair -> files.check(Optional.of(pair), some)));
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
        return ranks.stream()
                .findFirst()
                .map(of -> new EpConfiguration(
                        of, redundant.isEmpty() ? of : redundant.get(0), nodes == null ? 1 : nodes));
    }

    @Override
    public Integer call() throws Exception {
        if (timed()) {
            return callTime();
        }
        if (asServed.wanted()) {
            return callAsServed();
        }
        PlannerBench.Settings settings = new PlannerBench.Settings(replanEvery == null ? 1 : replanEvery, history);
        PlannerBenchRuns runs = new PlannerBenchRuns(given(), settings, layers(), threads, this::notice);
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

    private int callAsServed() throws Exception {
        Logs.leaveToTheView();
        AsServedReport report = peers == null
                ? asServed.serve(given(), configuration().orElseThrow(), served(), threads, this::notice)
                : asServed.serve(given(), peers, served(), threads, this::notice);
        PrintWriter out = commandSpec().commandLine().getOut();
        switch (output) {
            case JSON -> report.json().forEach(out::println);
            case MARKDOWN -> out.print(report.markdown());
            case TEXT -> out.print(report.text());
        }
        out.flush();
        return ExitCode.OK;
    }

    /** What is served: the planner's own policy, unless others were asked for. */
    private List<String> served() {
        return policies.isEmpty() ? List.of(PlannerSettings.DEFAULTS.policy()) : chosen();
    }

    private int callTime() throws Exception {
        List<TimeReport> reports = time.traced() ? onTrace() : onWorkloads();
        PrintWriter out = commandSpec().commandLine().getOut();
        switch (output) {
            case JSON -> reports.forEach(report -> out.println(report.json()));
            case MARKDOWN -> out.print(new TimeTable(reports).markdown());
            case TEXT -> reports.forEach(report -> out.println(report.text()));
        }
        out.flush();
        return ExitCode.OK;
    }

    private List<TimeReport> onTrace() throws Exception {
        DeviceProfile profile = time.profile(time.trace().model());
        return new TraceRuns(time.trace(), time.cut(), history, threads, this::notice)
                .of(time.tokensPerStep(), configurations, contenders(profile), profile);
    }

    private List<TimeReport> onWorkloads() throws Exception {
        return new WorkloadTimeRuns(Workload.files(given()), layers(), time::profile, history, threads, this::notice)
                .of(Batch.SLOT, tokensPerSlot.stream().distinct().toList(), configurations, this::contenders);
    }

    private List<Contender> contenders(DeviceProfile profile) {
        return Contender.of(chosen(), time.objective(), time.idleSlots(), profile);
    }

    private Path given() {
        if (workload == null) {
            throw new IllegalStateException("--workload was there when options were checked");
        }
        return workload;
    }

    private List<String> chosen() {
        return policies.isEmpty() ? Policy.NAMES : policies.stream().distinct().toList();
    }

    private void draw(List<ParetoChart> charts) throws IOException {
        if (svg != null && !charts.isEmpty()) {
            Files.writeString(svg, ParetoSvg.of(charts));
        }
    }

    private void notice(String line) {
        notices.say(commandSpec().commandLine().getErr(), line);
    }

    private CommandSpec commandSpec() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification of a command before it runs");
        }
        return spec;
    }
}
