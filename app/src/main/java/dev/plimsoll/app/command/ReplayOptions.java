package dev.plimsoll.app.command;

import dev.plimsoll.model.ProfileChoice;
import dev.plimsoll.replay.HistorySource;
import dev.plimsoll.replay.PolicyChoice;
import dev.plimsoll.replay.ReplayRequest;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.source.Edge;
import dev.plimsoll.replay.source.Span;
import dev.plimsoll.wire.kafka.KafkaSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which past, and what to replay it with. */
public final class ReplayOptions {
    private static final List<String> GRID_KEYS = List.of("ranks", "redundancy", "nodes");
    private static final List<String> DEFAULT_POLICIES = List.of("plimsoll", "deepseek", "static");
    private static final int MOST_RUNS = 64;

    @Option(
            names = "--input",
            paramLabel = "FILE|DIR",
            description = "What an engine wrote; its format is told by its content and said.")
    @Nullable
    private Path input;

    @Option(names = "--format", paramLabel = "NAME", description = "Insist on a format of --input.")
    @Nullable
    private String format;

    @Option(names = "--experts", paramLabel = "E", description = "Experts per layer, where --input does not say.")
    @Nullable
    private Integer experts;

    @Option(names = "--top-k", paramLabel = "K", description = "Experts per token, where --input does not say.")
    @Nullable
    private Integer topK;

    @Option(
            names = "--layer-ids",
            paramLabel = "ID,…",
            split = ",",
            description =
                    "The model's own numbers of its layers with experts, such as 3..60, where --input does not say.")
    private List<String> layerIds = new ArrayList<>();

    @Option(
            names = "--hidden-layers",
            paramLabel = "N",
            description = "Layers of the model, those without experts too, where --input or a placement file needs it.")
    @Nullable
    private Integer hiddenLayers;

    @Option(
            names = "--model-key",
            paramLabel = "KEY",
            description = "Which model, where --input holds several or a placement file must name it.")
    @Nullable
    private String modelKey;

    @Option(
            names = "--map",
            paramLabel = "start|FILE",
            description =
                    "Which expert each slot held while load of slots was counted, where --input does not say: as engines"
                            + " start, or as a file has it.")
    @Nullable
    private String map;

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    @Mixin
    private PastOptions past = new PastOptions();

    @Option(
            names = "--policy",
            paramLabel = "NAME[:K=V,…]",
            description = "A policy, with settings that differ from the planner's defaults, such as"
                    + " plimsoll:minimum-gain=0.05,cooldown=4; repeat it to compare (default: plimsoll, deepseek and static)."
                    + " A wrong key lists those that there are.")
    private List<String> policies = new ArrayList<>();

    @Mixin
    private DeviceProfileOptions devices = new DeviceProfileOptions();

    @Option(
            names = "--grid",
            paramLabel = "KEY=N,…",
            description =
                    "Replay every policy with each of these: redundancy=0,16,32 (slots beyond the experts; default: as recorded, else one for each rank and what fills their slots), ranks=, nodes=.")
    private List<String> grid = new ArrayList<>();

    @Option(
            names = "--ranks",
            paramLabel = "R",
            description = "Ranks of the group: what --input does not say, or another topology than it was recorded on.")
    @Nullable
    private Integer ranks;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            description = "Nodes that the ranks are on (default: as recorded, else 1).")
    @Nullable
    private Integer nodes;

    @Option(
            names = "--bytes-per-expert",
            paramLabel = "BYTES",
            description = "Weights of one expert in one layer, where the source does not say or says something else.")
    @Nullable
    private Long bytesPerExpert;

    @Option(
            names = "--window",
            paramLabel = "STEPS",
            description =
                    "Steps of a window, frames of a recording (default: the source's own windows; of single passes 256).")
    @Nullable
    private Integer window;

    @Option(
            names = "--from-samples",
            description =
                    "Make the windows of --deployment again from its samples, of any --window that is a multiple of its"
                            + " boundaries; without it whole windows are put together.")
    private boolean fromSamples;

    @Option(
            names = "--step-time",
            paramLabel = "DURATION",
            description =
                    "What a step takes, where --input has no times (default: 50ms): gains are weighed against the time of moves.")
    @Nullable
    private Duration stepTime;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads at the same time; results do not depend on it (default: one per processor).")
    private int threads = Runtime.getRuntime().availableProcessors();

    /** Whether anything was said that a manifest says. */
    boolean given() {
        return input != null
                || format != null
                || experts != null
                || topK != null
                || !layerIds.isEmpty()
                || map != null
                || past.given()
                || fromSamples
                || stepTime != null
                || !policies.isEmpty()
                || !grid.isEmpty()
                || devices.given()
                || ranks != null
                || nodes != null
                || window != null
                || bytesPerExpert != null;
    }

    /** Checks what may stand beside a manifest: where its cluster is now, threads, and what files of placements need. */
    void checkBesideManifest(Problems problems, boolean placements) {
        problems.require(
                !given(),
                "--manifest says what is replayed: leave out the past and what is said of it, policies and grids;"
                        + " --bootstrap-servers says where the past's topics are now");
        problems.require(
                placements || (hiddenLayers == null && modelKey == null),
                "beside --manifest, --hidden-layers and --model-key are for --write-placement");
        kafka.check(problems);
        positive(problems, "--hidden-layers", hiddenLayers);
        positive(problems, "--threads", threads);
    }

    void check(Problems problems) {
        problems.require(
                (input != null) != past.given(),
                "name one past: --input FILE, or --bootstrap-servers HOST:PORT --deployment ID");
        if (input == null && past.given()) {
            kafka.require(problems);
            past.check(problems);
            problems.require(
                    format == null && experts == null && topK == null && layerIds.isEmpty() && map == null,
                    "--format, --experts, --top-k, --layer-ids and --map are for --input");
        }
        problems.require(input == null || Files.isReadable(input), "--input " + input + " cannot be read");
        problems.require(
                map == null || map.equals(HistorySource.OfFile.START) || Files.isReadable(Path.of(map)),
                "--map " + map + " is neither 'start' nor a file that can be read");
        problems.require(
                !fromSamples || (input == null && window != null),
                "--from-samples is for --deployment, and needs --window");
        positive(problems, "--experts", experts);
        positive(problems, "--top-k", topK);
        positive(problems, "--hidden-layers", hiddenLayers);
        positive(problems, "--ranks", ranks);
        positive(problems, "--nodes", nodes);
        positive(problems, "--window", window);
        positive(problems, "--threads", threads);
        problems.require(
                bytesPerExpert == null || (bytesPerExpert >= 1 && bytesPerExpert <= 1L << 40),
                "--bytes-per-expert must be 1 to " + (1L << 40) + ", not " + bytesPerExpert);
        problems.require(
                stepTime().toMillis() >= 1 && stepTime().toHours() < 1,
                "--step-time must be 1 ms to 1 h, not " + stepTime());
        problems.require(
                ranks == null || !gridKeys().contains("ranks"), "--ranks and --grid ranks= contradict each other");
        problems.require(
                nodes == null || !gridKeys().contains("nodes"), "--nodes and --grid nodes= contradict each other");
        checkLists(problems);
        devices.check(problems);
        problems.require(
                input == null
                        || bytesPerExpert != null
                        || devices.choice()
                                .filter(choice -> choice instanceof ProfileChoice.Preset preset
                                        && preset.model().isEmpty())
                                .isEmpty(),
                "a file does not say how large an expert is: write " + DeviceProfileOptions.PROFILE
                        + " DEVICE/MODEL, or give --bytes-per-expert");
    }

    private void checkLists(Problems problems) {
        try {
            LayerIds.parse(layerIds);
        } catch (IllegalArgumentException e) {
            problems.add("--layer-ids: ", e);
        }
        for (String policy : policies) {
            try {
                PolicyChoice.parse(policy);
            } catch (IllegalArgumentException e) {
                problems.add("--policy: ", e);
            }
        }
        long runs = policyNames().size();
        for (String entry : grid) {
            try {
                runs *= values(entry).getValue().size();
            } catch (IllegalArgumentException e) {
                problems.add("--grid: ", e);
            }
        }
        problems.require(gridKeys().stream().distinct().count() == grid.size(), "--grid has a key twice: " + grid);
        problems.require(
                runs <= MOST_RUNS,
                "these are " + runs + " runs: at most " + MOST_RUNS + " at once, as all are kept in memory");
    }

    private static void positive(Problems problems, String option, @Nullable Integer value) {
        problems.require(value == null || value >= 1, option + " must be at least 1, not " + value);
    }

    private List<String> gridKeys() {
        return grid.stream().map(entry -> entry.split("=", 2)[0]).toList();
    }

    private static Map.Entry<String, List<Integer>> values(String entry) {
        String[] sides = entry.split("=", 2);
        if (sides.length < 2 || !GRID_KEYS.contains(sides[0])) {
            throw new IllegalArgumentException("'" + entry + "': write key=1,2,3 with one of " + GRID_KEYS);
        }
        List<Integer> values = new ArrayList<>();
        for (String value : sides[1].split(",", -1)) {
            try {
                values.add(Integer.parseInt(value.strip()));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("'" + entry + "': '" + value + "' is no whole number", e);
            }
            if (values.get(values.size() - 1) < (sides[0].equals("redundancy") ? 0 : 1)) {
                throw new IllegalArgumentException("'" + entry + "': " + value + " is too few");
            }
        }
        return Map.entry(sides[0], values.stream().distinct().toList());
    }

    /** Policies as they were asked for, each once. */
    List<String> policyNames() {
        return policies.isEmpty()
                ? DEFAULT_POLICIES
                : policies.stream().distinct().toList();
    }

    private Duration stepTime() {
        return stepTime == null ? ReplayRequest.STEP_TIME : stepTime;
    }

    /** The cluster that was named, also in place of the one that a manifest names: topics may have been copied elsewhere. */
    KafkaSettings cluster(String servers) {
        return kafka.given() ? kafka.settings() : kafka.settings(servers);
    }

    KafkaOptions kafka() {
        return kafka;
    }

    int threads() {
        return threads;
    }

    /** What is asked for, when all is checked. */
    ReplayRequest request() {
        Map<String, List<Integer>> lists = new TreeMap<>();
        grid.stream().map(ReplayOptions::values).forEach(entry -> lists.put(entry.getKey(), entry.getValue()));
        Optional.ofNullable(ranks).ifPresent(of -> lists.put("ranks", List.of(of)));
        Optional.ofNullable(nodes).ifPresent(of -> lists.put("nodes", List.of(of)));
        return new ReplayRequest(
                source(),
                number(window),
                stepTime(),
                bytesPerExpert == null ? OptionalLong.empty() : OptionalLong.of(bytesPerExpert),
                policyNames().stream().map(this::choice).toList(),
                lists.getOrDefault("ranks", List.of()),
                lists.getOrDefault("redundancy", List.of()),
                lists.getOrDefault("nodes", List.of()));
    }

    /** A policy as it was asked for, on the devices that were named. */
    private PolicyChoice choice(String text) {
        PolicyChoice choice = PolicyChoice.parse(text);
        return devices.given() ? new PolicyChoice(choice.name(), devices.choose(choice.settings())) : choice;
    }

    private HistorySource source() {
        if (input != null) {
            List<Integer> ids = LayerIds.parse(layerIds);
            return new HistorySource.OfFile(
                    input,
                    Optional.ofNullable(format),
                    new Given(
                            OptionalInt.empty(),
                            number(experts),
                            number(topK),
                            ids.isEmpty() ? Optional.empty() : Optional.of(ids),
                            number(hiddenLayers),
                            Optional.ofNullable(modelKey)),
                    Optional.ofNullable(map));
        }
        Span span = past.span();
        return new HistorySource.OfTopics(
                kafka.settings().bootstrapServers(),
                past.deployment().id(),
                past.incarnation(),
                span.from().map(Edge::toString),
                span.to().map(Edge::toString),
                span.last().map(Duration::toString),
                fromSamples);
    }

    /** What was said for files of placements beside the past. */
    OptionalInt hiddenLayers() {
        return number(hiddenLayers);
    }

    Optional<String> modelKey() {
        return Optional.ofNullable(modelKey);
    }

    private static OptionalInt number(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }
}
