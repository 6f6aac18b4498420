package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.Logs;
import dev.plimsoll.app.bench.DecisionBench;
import dev.plimsoll.app.bench.DecisionBenchReport;
import dev.plimsoll.replay.score.Machine;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** How long decisions take, and what ranks pay for them. */
@Command(
        name = "decisions",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measure how long decisions take from their window to their end, and what ranks pay meanwhile.",
            "The whole loop, a broker and all ranks are in this process, and every window is decided on, whether or not that"
                    + " pays. More ranks than there are cores show what this machine does, not what as many machines would.",
            "What is compared is measured in one run, side by side: a boundary with an agent and one that only stages and"
                    + " issues, in turn; steps during transfers and steps between them."
        })
public final class BenchDecisionsCommand implements Callable<Integer>, Validated {
    private static final int MOST_RANKS = 512;

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
            defaultValue = "8,64,256",
            description = "Sizes of deployments (default: ${DEFAULT-VALUE}).")
    private List<Integer> ranks = List.of(8, 64, 256);

    @Option(
            names = "--decisions",
            paramLabel = "N",
            defaultValue = "30",
            description = "Decisions to measure of each size (default: ${DEFAULT-VALUE}).")
    private int decisions = 30;

    @Option(
            names = "--layers",
            paramLabel = "N",
            defaultValue = "8",
            description = "MoE layers of qwen3-30b (default: ${DEFAULT-VALUE}).")
    private int layers = 8;

    @Option(
            names = "--expert-bytes",
            paramLabel = "BYTES",
            defaultValue = "4096",
            converter = ByteSizes.class,
            description = "Bytes of one expert's weights in one layer (default: ${DEFAULT-VALUE}).")
    private long expertBytes = 4096;

    @Option(
            names = "--steps-per-second",
            defaultValue = "50",
            description = "Pace of the ranks, 0 for as fast as possible (default: ${DEFAULT-VALUE}).")
    private double stepsPerSecond = 50;

    @Option(
            names = "--boundary",
            paramLabel = "STEPS",
            defaultValue = "8",
            description = "Steps between two boundaries (default: ${DEFAULT-VALUE}).")
    private int boundarySteps = 8;

    @Option(
            names = "--window",
            paramLabel = "STEPS",
            defaultValue = "32",
            description = "Steps in a window (default: ${DEFAULT-VALUE}).")
    private int windowSteps = 32;

    @Option(
            names = "--transfer-bytes-per-second",
            paramLabel = "BYTES",
            defaultValue = "0",
            converter = ByteSizes.class,
            description =
                    "What a rank sends at most while experts are moved, 0 for no limit (default: ${DEFAULT-VALUE}).")
    private long transferBytesPerSecond;

    @Option(
            names = "--longest",
            paramLabel = "DURATION",
            defaultValue = "5m",
            description = "Longest that one size may take, with fewer decisions then (default: ${DEFAULT-VALUE}).")
    private Duration longest = Duration.ofMinutes(5);

    @Override
    public void check(Problems problems) {
        for (int size : ranks) {
            problems.require(size >= 2 && size <= MOST_RANKS, "--ranks must be 2 to " + MOST_RANKS + ", not " + size);
        }
        problems.require(decisions >= 1, "--decisions must be at least 1, not " + decisions);
        problems.require(layers >= 1 && layers <= 48, "--layers must be 1 to 48, not " + layers);
        problems.require(
                expertBytes >= 64 && expertBytes % 8 == 0,
                "--expert-bytes must be a multiple of 8 from 64 on, not " + expertBytes);
        problems.require(boundarySteps >= 1, "--boundary must be at least 1, not " + boundarySteps);
        problems.require(
                windowSteps >= 1 && boundarySteps >= 1 && windowSteps % boundarySteps == 0,
                "--window " + windowSteps + " must be a multiple of --boundary " + boundarySteps);
        problems.require(stepsPerSecond >= 0, "--steps-per-second must not be negative");
        problems.require(transferBytesPerSecond >= 0, "--transfer-bytes-per-second must not be negative");
        problems.require(!longest.isNegative() && !longest.isZero(), "--longest must be longer than 0");
    }

    @Override
    public Integer call() throws Exception {
        Logs.leaveToTheView();
        if (System.getenv("PLIMSOLL_LOG") == null) {
            Logs.muteLibraries();
        }
        DecisionBench.Settings settings = new DecisionBench.Settings(
                ranks,
                decisions,
                layers,
                expertBytes,
                stepsPerSecond,
                boundarySteps,
                windowSteps,
                transferBytesPerSecond,
                longest);
        double before = Machine.load();
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            DecisionBench.Result result = DecisionBench.run(lifecycle, settings, System.err::println);
            DecisionBenchReport report =
                    new DecisionBenchReport(settings, result, Machine.here(), before, Machine.load());
            System.out.println(output == OutputForm.JSON ? report.json() : report.text());
            System.out.flush();
        }
        return 0;
    }
}
