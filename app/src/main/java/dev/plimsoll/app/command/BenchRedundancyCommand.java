package dev.plimsoll.app.command;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.Workload;
import dev.plimsoll.replay.score.time.Batch;
import dev.plimsoll.replay.score.time.Contender;
import dev.plimsoll.replay.score.time.RedundancyReport;
import dev.plimsoll.replay.score.time.TimeReport;
import dev.plimsoll.replay.score.time.TraceRuns;
import dev.plimsoll.replay.score.time.WorkloadTimeRuns;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How many redundant slots are worth the memory they take. */
@Command(
        name = "redundancy",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Say what redundant slots bring and cost: device memory, expert time of a step, moves; and where more of them"
                    + " bring no more.",
            "Load of a deployment's own comes from its topics: 'plimsoll export --format npy' writes a --workload."
        })
public final class BenchRedundancyCommand implements Callable<Integer>, Validated {
    private static final int TRIED = 5;

    /** How the result is printed. */
    enum Form {
        TEXT,
        JSON,
        MARKDOWN
    }

    @Option(
            names = "--workload",
            paramLabel = "FILE",
            description = "Load, [window][sub-sample][layer][expert] tokens: .npy or .npy.gz, uint16 or uint32.")
    @Nullable
    private Path workload;

    @Option(
            names = "--tokens-per-expert",
            paramLabel = "N",
            split = ",",
            description = "Tokens that an expert of the --workload gets in a step on average (default: 4,32,256).")
    private List<Integer> tokensPerExpert = new ArrayList<>();

    @Mixin
    private TimeBenchOptions time = new TimeBenchOptions();

    @Option(names = "--ranks", paramLabel = "R", required = true, description = "Ranks of the deployment.")
    private int ranks;

    @Option(
            names = "--redundant",
            paramLabel = "X",
            split = ",",
            description =
                    "Numbers of slots beyond the experts, over all ranks (default: the five least that divide evenly).")
    private List<Integer> redundant = new ArrayList<>();

    @Option(
            names = "--nodes",
            paramLabel = "N",
            defaultValue = "1",
            description = "Nodes that the ranks are spread over in equal blocks (default: ${DEFAULT-VALUE}).")
    private int nodes = 1;

    @Option(
            names = "--policy",
            paramLabel = "NAME",
            description = "Policy that plans (default: the planner's own, by time).")
    private String policy = PlannerSettings.DEFAULTS.policy();

    @Option(
            names = "--within",
            paramLabel = "PERCENT",
            defaultValue = "1",
            description =
                    "The knee is the fewest redundant slots with which a step takes at most so much longer than with"
                            + " the best number of them (default: ${DEFAULT-VALUE}).")
    private double within = 1;

    @Option(
            names = "--expert-bytes",
            paramLabel = "BYTES",
            description = "Weights of one expert in one layer (default: those of the model, where it is known).")
    @Nullable
    private Long expertBytes;

    @Option(
            names = "--history",
            paramLabel = "WINDOWS",
            defaultValue = "48",
            description = "Most windows that a plan is made from (default: ${DEFAULT-VALUE}).")
    private int history = 48;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "1",
            description = "Runs side by side: faster, with the same numbers (default: ${DEFAULT-VALUE}).")
    private int threads = 1;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text, markdown, or json: one line for each number of tokens (default: ${DEFAULT-VALUE}).")
    private Form output = Form.TEXT;

    @Spec
    @Nullable
    private CommandSpec spec;

    private final NoticeLine notices = new NoticeLine();
    private int layers;
    private int experts;
    private List<EpConfiguration> configurations = List.of();

    @Override
    public void check(Problems problems) {
        problems.require(history >= 1, "--history must be at least 1, not " + history);
        problems.require(threads >= 1 && threads <= 256, "--threads must be 1 to 256, not " + threads);
        problems.require(within >= 0 && within < 1000, "--within must be 0 to 1000, not " + within);
        problems.require(
                expertBytes == null || expertBytes >= 1, "--expert-bytes must be at least 1, not " + expertBytes);
        problems.require(
                ranks >= 1 && nodes >= 1, "--ranks and --nodes must be at least 1, not " + ranks + ", " + nodes);
        try {
            Policy.named(policy);
        } catch (IllegalArgumentException e) {
            problems.add("--policy: ", e);
        }
        problems.require(
                (workload == null) == time.traced(),
                time.traced()
                        ? "--workload and --trace are alternatives: leave one out"
                        : "--workload is missing; or give --trace");
        time.check(workload == null ? tokensPerExpert : batches(), "--tokens-per-expert", problems);
        if (time.traced()) {
            time.read().ifPresent(trace -> {
                layers = trace.model().layers();
                experts = trace.model().experts();
            });
        } else if (workload != null) {
            size(workload, problems);
        }
        if (experts > 0 && ranks >= 1) {
            spread(problems);
        }
    }

    private void size(Path file, Problems problems) {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            problems.add("--workload " + file + " is no file that can be read");
            return;
        }
        try {
            Workload.Size size = Workload.size(file);
            layers = size.layers();
            experts = size.experts();
        } catch (IOException e) {
            problems.add("--workload ", e);
        }
    }

    /** The configurations, by ascending redundancy. */
    private void spread(Problems problems) {
        int least = Math.floorMod(-experts, ranks);
        List<Integer> numbers = redundant.isEmpty()
                ? IntStream.range(0, TRIED)
                        .map(i -> least + i * ranks)
                        .filter(extra -> (experts + extra) / ranks <= experts)
                        .boxed()
                        .toList()
                : redundant.stream().distinct().sorted().toList();
        configurations = numbers.stream()
                .map(extra -> new EpConfiguration(ranks, extra, nodes))
                .toList();
        configurations.stream()
                .flatMap(pair -> pair.problems("the model", experts).stream())
                .distinct()
                .forEach(problems::add);
    }

    private List<Integer> batches() {
        return tokensPerExpert.isEmpty()
                ? List.of(4, 32, 256)
                : tokensPerExpert.stream().distinct().toList();
    }

    @Override
    public Integer call() throws Exception {
        List<TimeReport> reports = time.traced() ? onTrace() : onWorkload();
        OptionalLong bytes = expertBytes == null ? time.bytesPerExpert() : OptionalLong.of(expertBytes);
        PrintWriter out = commandSpec().commandLine().getOut();
        int each = configurations.size();
        for (int i = 0; i < reports.size(); i += each) {
            RedundancyReport report =
                    new RedundancyReport(reports.subList(i, i + each), layers, experts, bytes, within);
            out.println(
                    switch (output) {
                        case JSON -> report.json();
                        case MARKDOWN -> report.markdown();
                        case TEXT -> report.text();
                    });
        }
        out.flush();
        return ExitCode.OK;
    }

    private List<TimeReport> onTrace() throws Exception {
        DeviceProfile profile = time.profile(time.trace().model());
        return new TraceRuns(time.trace(), time.cut(), history, threads, this::notice)
                .of(time.tokensPerStep(), configurations, contenders(profile), profile);
    }

    private List<TimeReport> onWorkload() throws Exception {
        if (workload == null) {
            throw new IllegalStateException("--workload was there when options were checked");
        }
        return new WorkloadTimeRuns(List.of(workload), Optional.empty(), time::profile, history, threads, this::notice)
                .of(Batch.EXPERT, batches(), configurations, this::contenders);
    }

    /** One: by time where nothing else is asked for, with idle slots where these are. */
    private List<Contender> contenders(DeviceProfile profile) {
        ObjectiveChoice objective = time.objective() == ObjectiveChoice.AUTO ? ObjectiveChoice.TIME : time.objective();
        List<Contender> lines = Contender.of(List.of(policy), objective, time.idleSlots(), profile);
        return List.of(lines.get(lines.size() - 1));
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
