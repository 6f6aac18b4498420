package dev.plimsoll.app.command;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.ExpertSize;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.replay.score.EpConfiguration;
import dev.plimsoll.replay.score.time.TokenTrace;
import dev.plimsoll.replay.score.time.TraceWindows;
import dev.plimsoll.simulator.Trace;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of the benches that score placements by what experts take on a device. */
final class TimeBenchOptions {
    private static final int MOST_TOKENS = 65536;
    private static final int MOST_STEPS = 1 << 20;
    private static final List<String> OBJECTIVES = List.of("both", "tokens", "time");

    /** In which order requests of a trace are taken. */
    enum TraceOrder {
        MIXED,
        DOMAINS
    }

    @Option(
            names = "--trace",
            paramLabel = "DIR|FILE",
            description =
                    "Experts picked for each token of a trace, a directory with experts.npy and trace.json or one of"
                            + " the two: serves it step by step, instead of --workload.")
    @Nullable
    private Path trace;

    @Option(
            names = "--tokens-per-step",
            paramLabel = "N",
            split = ",",
            description = "Requests of the trace that run side by side, each of which gives a token in a step (default:"
                    + " 32,128,512,2048).")
    private List<Integer> tokensPerStep = new ArrayList<>();

    @Option(
            names = "--trace-order",
            paramLabel = "ORDER",
            description =
                    "mixed: neighbours of the trace do not follow each other; domains: requests as the trace lists"
                            + " them, so that what is asked for shifts (default: mixed).")
    @Nullable
    private TraceOrder traceOrder;

    @Option(names = "--windows", paramLabel = "N", description = "Windows of the trace (default: 20).")
    @Nullable
    private Integer windows;

    @Option(names = "--window", paramLabel = "STEPS", description = "Steps of a window of the trace (default: 256).")
    @Nullable
    private Integer windowSteps;

    @Option(
            names = "--device-profile",
            paramLabel = "PROFILE",
            description = "What experts take on a device: a device's name as 'h200', with a model as"
                    + " 'h200/gpt-oss-20b', or a table.")
    @Nullable
    private String profile;

    @Option(
            names = "--objective",
            paramLabel = "NAME",
            description =
                    "What the policy plimsoll plans by: tokens, time, or both, each in a line (default: both). Other"
                            + " policies know tokens only.")
    @Nullable
    private String objective;

    @Option(names = "--idle-slots", description = "By time, also with slots that may be left idle, in a further line.")
    private boolean idleSlots;

    @Nullable
    private TokenTrace read;

    boolean traced() {
        return trace != null;
    }

    /** Whether time matters for what was asked for. */
    boolean timed() {
        return trace != null || profile != null;
    }

    String objective() {
        return objective == null ? "both" : objective;
    }

    boolean idleSlots() {
        return idleSlots;
    }

    List<Integer> tokensPerStep() {
        return tokensPerStep.isEmpty() ? List.of(32, 128, 512, 2048) : tokensPerStep;
    }

    TraceWindows.Cut cut() {
        return new TraceWindows.Cut(windows == null ? 20 : windows, windowSteps == null ? 256 : windowSteps);
    }

    /** The trace that {@link #check} has read. */
    TokenTrace trace() {
        if (read == null) {
            throw new IllegalStateException("--trace was read when options were checked");
        }
        return read;
    }

    /** The profile of a model's experts. */
    DeviceProfile profile(ModelShape model) {
        return ProfileChoice.read(profileText()).of(model, 1);
    }

    private String profileText() {
        if (profile == null) {
            throw new IllegalStateException("--device-profile was there when options were checked");
        }
        return profile;
    }

    void check(Problems problems) {
        problems.require(
                OBJECTIVES.contains(objective()),
                "--objective must be one of " + String.join(", ", OBJECTIVES) + ", not '" + objective + "'");
        problems.require(
                !idleSlots || !objective().equals("tokens"),
                "--idle-slots is for planning by time: leave out --objective tokens");
        problems.require(windows == null || windows >= 2, "--windows must be at least 2, not " + windows);
        problems.require(
                windowSteps == null || windowSteps >= 1 && windowSteps <= MOST_STEPS,
                "--window must be 1 to " + MOST_STEPS + ", not " + windowSteps);
        for (int tokens : tokensPerStep) {
            problems.require(
                    tokens >= 1 && tokens <= MOST_TOKENS,
                    "--tokens-per-step must be 1 to " + MOST_TOKENS + ", not " + tokens);
        }
        if (trace == null) {
            problems.require(
                    tokensPerStep.isEmpty() && traceOrder == null && windows == null && windowSteps == null,
                    "--tokens-per-step, --trace-order, --windows and --window are for --trace only");
        } else {
            checkTrace(trace, problems);
        }
        checkProfile(problems);
    }

    private void checkTrace(Path given, Problems problems) {
        Path parent = given.toAbsolutePath().getParent();
        try {
            Trace opened = Trace.open(Files.isRegularFile(given) && parent != null ? parent : given);
            TokenTrace inOrder = new TokenTrace(
                    opened.model(),
                    opened.picks(),
                    opened.requests().stream()
                            .map(request -> new TokenTrace.Request(request.offset(), request.tokens()))
                            .toList());
            read = traceOrder == TraceOrder.DOMAINS ? inOrder : inOrder.mixed();
        } catch (IllegalArgumentException | UncheckedIOException e) {
            problems.add("--trace: ", e);
        }
    }

    private void checkProfile(Problems problems) {
        if (profile == null) {
            problems.require(
                    trace == null,
                    "--device-profile is missing: name the device whose time is meant, such as h200, with --trace");
            return;
        }
        try {
            ProfileChoice choice = ProfileChoice.read(profile);
            problems.require(
                    !(choice instanceof ProfileChoice.Preset preset)
                            || preset.model().isPresent()
                            || read == null
                            || ExpertSize.named(read.model().name()).isPresent(),
                    "--device-profile " + profile
                            + " does not say how large experts are, and the trace's model is not known: say"
                            + " " + profile + "/MODEL, where MODEL is one of "
                            + String.join(
                                    ", ",
                                    ExpertSize.ALL.stream()
                                            .map(ExpertSize::model)
                                            .toList()));
        } catch (IllegalArgumentException e) {
            problems.add("--device-profile: ", e);
        }
    }

    /**
     * All pairs of ranks and redundant slots that the trace's experts can be spread in; notes where a number is in none.
     *
     * @param redundant none for one per rank
     */
    List<EpConfiguration> configurations(List<Integer> ranks, List<Integer> redundant, int nodes, Problems problems) {
        List<EpConfiguration> found = new ArrayList<>();
        if (read == null) {
            return found;
        }
        List<String> wrong = new ArrayList<>();
        for (int of : ranks) {
            for (int extra : redundant.isEmpty() ? List.of(of) : redundant) {
                EpConfiguration configuration = new EpConfiguration(of, extra, nodes);
                List<String> problem =
                        configuration.problems("the trace", read.model().experts());
                if (problem.isEmpty()) {
                    found.add(configuration);
                }
                wrong.addAll(problem);
            }
        }
        boolean all = ranks.stream().allMatch(of -> found.stream().anyMatch(has -> has.ranks() == of))
                && redundant.stream().allMatch(extra -> found.stream().anyMatch(has -> has.redundant() == extra));
        if (!all) {
            wrong.forEach(problems::add);
        }
        return found;
    }

    /** What runs the same again. */
    String arguments() {
        return Optional.ofNullable(trace).map(path -> "--trace " + path).orElse("");
    }
}
