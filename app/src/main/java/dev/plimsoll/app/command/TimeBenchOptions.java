package dev.plimsoll.app.command;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.ExpertSize;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.planner.ObjectiveChoice;
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
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of the benches that score placements by what experts take on a device. */
final class TimeBenchOptions {
    private static final int MOST_TOKENS = 65536;
    private static final int MOST_STEPS = 1 << 20;
    private static final long MOST_IN_ALL = 1L << 26;
    private static final int WINDOWS = 20;
    private static final int STEPS = 256;

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

    @Mixin
    private ProfileOption profile = new ProfileOption();

    @Option(
            names = "--objective",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "What the policy plimsoll plans by: tokens; time; or auto, by time and in a further line by tokens"
                            + " (default: ${DEFAULT-VALUE}). Other policies know tokens only.")
    private ObjectiveChoice objective = ObjectiveChoice.AUTO;

    @Option(names = "--idle-slots", description = "By time, also with slots that may be left idle, in a further line.")
    private boolean idleSlots;

    @Nullable
    private TokenTrace read;

    boolean traced() {
        return trace != null;
    }

    ObjectiveChoice objective() {
        return objective;
    }

    boolean idleSlots() {
        return idleSlots;
    }

    List<Integer> tokensPerStep() {
        return tokensPerStep.isEmpty()
                ? List.of(32, 128, 512, 2048)
                : tokensPerStep.stream().distinct().toList();
    }

    TraceWindows.Cut cut() {
        return new TraceWindows.Cut(windows == null ? WINDOWS : windows, windowSteps == null ? STEPS : windowSteps);
    }

    /** The trace that {@link #check} has read. */
    TokenTrace trace() {
        if (read == null) {
            throw new IllegalStateException("--trace was read when options were checked");
        }
        return read;
    }

    /** The trace, once {@link #check} has read it. */
    Optional<TokenTrace> read() {
        return Optional.ofNullable(read);
    }

    /** The profile of a model's experts. */
    DeviceProfile profile(ModelShape model) {
        return profile.choice()
                .orElseThrow(() -> new IllegalStateException("the profile was there when options were checked"))
                .of(model, 1);
    }

    /**
     * @param perWorkload tokens that a workload is scored by time with; none where it is not
     * @param option that they are given with
     */
    void check(List<Integer> perWorkload, String option, Problems problems) {
        boolean timed = traced() || !perWorkload.isEmpty();
        problems.require(
                !idleSlots || objective != ObjectiveChoice.TOKENS,
                "--idle-slots is for planning by time: leave out --objective tokens");
        problems.require(windows == null || windows >= 2, "--windows must be at least 2, not " + windows);
        problems.require(
                windowSteps == null || windowSteps >= 1 && windowSteps <= MOST_STEPS,
                "--window must be 1 to " + MOST_STEPS + ", not " + windowSteps);
        checkTokens("--tokens-per-step", tokensPerStep, problems);
        checkTokens(option, perWorkload, problems);
        problems.require(
                traced() || tokensPerStep.isEmpty() && traceOrder == null && windows == null && windowSteps == null,
                "--tokens-per-step, --trace-order, --windows and --window are for --trace only");
        problems.require(!traced() || perWorkload.isEmpty(), option + " is for --workload only");
        if (trace != null) {
            checkTrace(trace, problems);
            checkRoom(problems);
        }
        problems.require(
                profile.given() || !timed,
                ProfileOption.NAME + " is missing: name the device whose time is meant, such as h200");
        problems.require(
                timed || !profile.given() && !idleSlots && objective == ObjectiveChoice.AUTO,
                ProfileOption.NAME + ", --objective and --idle-slots need --trace, or " + option + " with --workload");
        checkProfile(traced() || perWorkload.isEmpty(), problems);
    }

    private static void checkTokens(String option, List<Integer> given, Problems problems) {
        for (int tokens : given) {
            problems.require(
                    tokens >= 1 && tokens <= MOST_TOKENS, option + " must be 1 to " + MOST_TOKENS + ", not " + tokens);
        }
    }

    /** What all rows of all steps pick is in memory at once. */
    private void checkRoom(Problems problems) {
        long steps = (long) (windows == null ? WINDOWS : windows) * (windowSteps == null ? STEPS : windowSteps);
        for (int tokens : tokensPerStep()) {
            problems.require(
                    steps <= MOST_IN_ALL / Math.max(1, tokens),
                    "--tokens-per-step " + tokens + " in " + steps + " steps are more than " + MOST_IN_ALL
                            + " tokens: ask for fewer --windows or a shorter --window");
        }
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

    private void checkProfile(boolean modelIsKnown, Problems problems) {
        profile.check(problems);
        TokenTrace known = read;
        if (known != null) {
            profile.choice().ifPresent(choice -> ProfileOption.requireKnownSize(problems, choice, known.model()));
        }
        problems.require(
                modelIsKnown
                        || profile.choice()
                                .flatMap(TimeBenchOptions::preset)
                                .filter(preset -> preset.model().isEmpty())
                                .isEmpty(),
                ProfileOption.NAME + " must say whose experts are meant, as h200/deepseek-v3: workloads do not");
    }

    private static Optional<ProfileChoice.Preset> preset(ProfileChoice choice) {
        return choice instanceof ProfileChoice.Preset preset ? Optional.of(preset) : Optional.empty();
    }

    /** Weights of an expert in one layer: of the model that the profile or else the trace names, if we know it. */
    OptionalLong bytesPerExpert() {
        Optional<String> model = profile.choice()
                .flatMap(TimeBenchOptions::preset)
                .flatMap(ProfileChoice.Preset::model)
                .or(() -> Optional.ofNullable(read).map(known -> known.model().name()));
        return model.flatMap(ExpertSize::named).stream()
                .mapToLong(ExpertSize::bytes)
                .findFirst();
    }

    /** All pairs of ranks and redundant slots, one per rank where none are given. */
    static List<EpConfiguration> pairs(List<Integer> ranks, List<Integer> redundant, int nodes) {
        return ranks.stream()
                .distinct()
                .flatMap(of -> (redundant.isEmpty() ? List.of(of) : redundant)
                        .stream().distinct().map(extra -> new EpConfiguration(of, extra, nodes)))
                .toList();
    }

    /**
     * Those pairs of ranks and redundant slots that the trace's experts can be spread in; notes where a number is in none.
     *
     * @param redundant none for one per rank
     */
    List<EpConfiguration> configurations(List<Integer> ranks, List<Integer> redundant, int nodes, Problems problems) {
        if (read == null) {
            return List.of();
        }
        int experts = read.model().experts();
        List<EpConfiguration> all = pairs(ranks, redundant, nodes);
        List<EpConfiguration> found = all.stream()
                .filter(pair -> pair.problems("the trace", experts).isEmpty())
                .toList();
        boolean used = all.stream()
                .allMatch(pair -> found.stream().anyMatch(has -> has.ranks() == pair.ranks())
                        && found.stream().anyMatch(has -> redundant.isEmpty() || has.redundant() == pair.redundant()));
        if (!used) {
            all.forEach(pair -> pair.problems("the trace", experts).forEach(problems::add));
        }
        return found;
    }
}
