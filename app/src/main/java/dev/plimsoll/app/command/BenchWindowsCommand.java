package dev.plimsoll.app.command;

import dev.plimsoll.app.bench.WindowsRace;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Our aggregator against Kafka Streams. */
@Command(
        name = "windows",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Race the aggregator against Kafka Streams applications that fold the same samples, each in a process of its own,"
                    + " on one broker, in turns. Every window is held against exact sums.",
            "Needs Kafka Streams, which is not shipped: run it from a source tree, where ./plimsoll adds it."
        },
        footer = {"", "Exit code 3: a contestant has published a window that is not exact."})
public final class BenchWindowsCommand implements Callable<Integer>, Validated {
    private static final int LARGEST_SAMPLE = 256 << 10;
    private static final int MOST_BOUNDARIES = 64;

    @Option(
            names = "--for",
            paramLabel = "D",
            defaultValue = "5m",
            description = "About how long everything may take; rounds are repeated while there is time, at least one of"
                    + " each is run (default: ${DEFAULT-VALUE}).")
    private Duration length = Duration.ofMinutes(5);

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text or json: one JSON object on standard output (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            split = ",",
            defaultValue = "64",
            description = "Ranks of a deployment; several numbers are raced one after the other (default:"
                    + " ${DEFAULT-VALUE}).")
    private List<Integer> ranks = List.of(64);

    @Option(
            names = "--nodes",
            paramLabel = "N",
            split = ",",
            defaultValue = "8",
            description = "Nodes that the ranks are on, a number for each of --ranks (default: ${DEFAULT-VALUE}).")
    private List<Integer> nodes = List.of(8);

    @Option(
            names = "--partitions",
            paramLabel = "N",
            split = ",",
            defaultValue = "1",
            description = "Partitions of the samples topic, each with a deployment (default: ${DEFAULT-VALUE}).")
    private List<Integer> partitions = List.of(1);

    @Option(
            names = "--layers",
            paramLabel = "N",
            defaultValue = "58",
            description = "MoE layers (default: ${DEFAULT-VALUE}).")
    private int layers = 58;

    @Option(
            names = "--slots",
            paramLabel = "N",
            defaultValue = "9",
            description = "Slots per rank (default: ${DEFAULT-VALUE}).")
    private int slots = 9;

    @Option(
            names = "--boundaries",
            paramLabel = "N",
            defaultValue = "64",
            description = "Samples of a node in a window, at most 64 (default: ${DEFAULT-VALUE}).")
    private int boundaries = 64;

    @Option(
            names = "--late",
            paramLabel = "PERCENT",
            defaultValue = "1",
            description = "Samples that come two windows too late (default: ${DEFAULT-VALUE}).")
    private double late = 1;

    @Option(
            names = "--mebibytes",
            paramLabel = "N",
            defaultValue = "2048",
            description = "Counters in the log, before compression (default: ${DEFAULT-VALUE}).")
    private int mebibytes = 2048;

    @Option(
            names = "--paced",
            paramLabel = "D",
            defaultValue = "20s",
            description =
                    "How long latency is measured under steady load, before a kill -9; 0s leaves both out (default:"
                            + " ${DEFAULT-VALUE}).")
    private Duration paced = Duration.ofSeconds(20);

    @Option(
            names = "--contestants",
            paramLabel = "NAME",
            split = ",",
            description = "Who takes part, of plimsoll, streams, streams-in-memory, streams-key-value (default: all).")
    private List<String> contestants = List.of();

    @Option(
            names = "--scratch",
            paramLabel = "DIR",
            description = "Where data and logs go (default: a temporary directory, removed at the end).")
    @Nullable
    private Path scratch;

    @Option(
            names = "--recordings",
            paramLabel = "DIR",
            description = "Put a JDK flight recording of each contestant's first round here (default: none are made).")
    @Nullable
    private Path recordings;

    @Spec
    @Nullable
    private CommandSpec spec;

    @Override
    public void check(Problems problems) {
        Optional<WindowsRace> race = WindowsRace.found();
        problems.require(
                race.isPresent(),
                "Kafka Streams is not on the class path, as it is not shipped: run './plimsoll bench windows' in a source"
                        + " tree, which builds the module bench and adds it");
        problems.require(
                ranks.size() == nodes.size(),
                "--nodes must have a number for each of --ranks: " + nodes.size() + " for " + ranks.size());
        for (int i = 0; i < Math.min(ranks.size(), nodes.size()); i++) {
            long most = nodes.get(i) < 1 ? Long.MAX_VALUE : -Math.floorDiv(-ranks.get(i), nodes.get(i));
            problems.require(
                    nodes.get(i) >= 1 && ranks.get(i) >= nodes.get(i),
                    "--nodes must be 1 to --ranks, not " + nodes.get(i) + " for " + ranks.get(i));
            problems.require(
                    nodes.get(i) < 1 || most * layers * slots * Integer.BYTES <= LARGEST_SAMPLE,
                    "--ranks " + ranks.get(i) + " on " + nodes.get(i) + " nodes make samples of "
                            + most * layers * slots * Integer.BYTES + " bytes, more than " + LARGEST_SAMPLE
                            + ", where collectors cut them: give more --nodes");
        }
        for (int count : partitions) {
            problems.require(count >= 1 && count <= 64, "--partitions must be 1 to 64, not " + count);
        }
        problems.require(layers >= 1 && slots >= 1, "--layers and --slots must be at least 1");
        problems.require(
                boundaries >= 1 && boundaries <= MOST_BOUNDARIES,
                "--boundaries must be 1 to " + MOST_BOUNDARIES + ", not " + boundaries);
        problems.require(late >= 0 && late <= 20, "--late must be 0 to 20, not " + late);
        problems.require(mebibytes >= 1, "--mebibytes must be at least 1, not " + mebibytes);
        race.ifPresent(found -> contestants.stream()
                .filter(name -> !found.contestants().contains(name))
                .forEach(name -> problems.add("--contestants must be of " + String.join(", ", found.contestants())
                        + ", not '" + name + "'")));
        problems.require(
                contestants.isEmpty() || contestants.contains("plimsoll"),
                "--contestants must name plimsoll, which all others are compared with");
    }

    @Override
    public Integer call() throws Exception {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the specification of a command before it runs");
        }
        PrintWriter err = spec.commandLine().getErr();
        WindowsRace.Result result = WindowsRace.found()
                .orElseThrow()
                .run(
                        new WindowsRace.Settings(
                                ranks,
                                nodes,
                                partitions,
                                layers,
                                slots,
                                boundaries,
                                late,
                                mebibytes,
                                length,
                                paced,
                                contestants,
                                Optional.ofNullable(scratch),
                                Optional.ofNullable(recordings)),
                        line -> {
                            err.println(line);
                            err.flush();
                        });
        PrintWriter out = spec.commandLine().getOut();
        out.println(output == OutputForm.JSON ? result.json() : result.text());
        out.flush();
        result.wrong().forEach(fault -> err.println("plimsoll: wrong: " + fault));
        err.flush();
        return result.wrong().isEmpty() ? ExitCode.OK : WindowsRace.WRONG_WINDOWS;
    }
}
