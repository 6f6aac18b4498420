package dev.plimsoll.app.command;

import com.sun.management.OperatingSystemMXBean;
import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.bench.DeviceBench;
import dev.plimsoll.app.bench.DeviceBenchReport;
import dev.plimsoll.device.Device;
import dev.plimsoll.replay.score.Machine;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What capturing heat costs an engine, and what gathering it costs. */
@Command(
        name = "device",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Measure what capturing heat costs an engine's dispatch thread, and what gathers cost.",
            "All ranks of a group are simulated in this process: a gather of more ranks than there are cores shows what"
                    + " this machine does, not what as many machines would."
        })
public final class BenchDeviceCommand implements Callable<Integer>, Validated {
    private static final int MOST_RANKS = 1024;
    private static final int MOST_LAYERS = 4096;
    private static final int MOST_SLOTS = 65536;
    private static final int MOST_BOUNDARIES = 10_000_000;
    private static final List<String> BACKENDS = List.of("host", "ascend", "cuda");
    private static final long NOTICE_NANOS = TimeUnit.SECONDS.toNanos(1);

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
            description = "Sizes of the groups that gather (default: ${DEFAULT-VALUE}).")
    private List<Integer> ranks = List.of(8, 64, 256);

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
            defaultValue = "2000",
            description =
                    "Boundaries of one rank to measure; groups gather N / ranks times, but at least 100 times where N allows"
                            + " (default: ${DEFAULT-VALUE}).")
    private int boundaries = 2000;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = "host",
            description = "host, ascend or cuda; see 'plimsoll devices' (default: ${DEFAULT-VALUE}).")
    private String backend = "host";

    @Spec
    @Nullable
    private CommandSpec spec;

    private long lastNotice;

    @Override
    public void check(Problems problems) {
        for (int size : ranks) {
            problems.require(size >= 1 && size <= MOST_RANKS, "--ranks must be 1 to " + MOST_RANKS + ", not " + size);
        }
        problems.require(
                layers >= 1 && layers <= MOST_LAYERS, "--layers must be 1 to " + MOST_LAYERS + ", not " + layers);
        problems.require(slots >= 1 && slots <= MOST_SLOTS, "--slots must be 1 to " + MOST_SLOTS + ", not " + slots);
        problems.require(
                boundaries >= 1 && boundaries <= MOST_BOUNDARIES,
                "--boundaries must be 1 to " + MOST_BOUNDARIES + ", not " + boundaries);
        if (!BACKENDS.contains(backend)) {
            problems.add("--backend must be one of " + String.join(", ", BACKENDS) + ", not '" + backend + "'");
        }
        if (problems.any()) {
            return;
        }
        Device.Probe probe = Device.probe(backend);
        problems.require(probe.available(), "--backend " + backend + " is not available: " + probe.reason());
        long needed = settings().memory();
        long there = ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
        problems.require(
                needed <= there / 4 * 3,
                String.format(
                        Locale.ROOT,
                        "--ranks %d with --layers %d and --slots %d need about %.1f GB of memory, this machine has %.1f GB:"
                                + " ask for fewer",
                        ranks.stream().max(Integer::compare).orElse(0),
                        layers,
                        slots,
                        needed / 1e9,
                        there / 1e9));
    }

    private DeviceBench.Settings settings() {
        return new DeviceBench.Settings(backend, ranks, layers, slots, boundaries);
    }

    @Override
    public Integer call() throws InterruptedException {
        DeviceBench.Settings settings = settings();
        double before = Machine.load();
        lastNotice = System.nanoTime();
        DeviceBench.Result result;
        try (Lifecycle lifecycle = new Lifecycle()) {
            // A signal ends the measurement in order, for what it keeps in shared memory would stay.
            lifecycle.stopOnSignal();
            SharedDirectory directory = lifecycle.started("directory", SharedDirectory.planned());
            directory.make();
            result = DeviceBench.run(settings, directory.path(), (size, done, of) -> {
                lifecycle.proceed();
                notice(size, done, of);
            });
        }
        DeviceBenchReport report = new DeviceBenchReport(settings, result, Machine.here(), before, Machine.load());
        PrintWriter out = commandSpec().commandLine().getOut();
        out.println(output == OutputForm.JSON ? report.json() : report.text());
        out.flush();
        return 0;
    }

    /** One line a second at most, and none when it is over within the first. */
    private void notice(int size, int done, int of) {
        long now = System.nanoTime();
        if (now - lastNotice >= NOTICE_NANOS) {
            lastNotice = now;
            PrintWriter err = commandSpec().commandLine().getErr();
            err.println("measuring " + size + (size == 1 ? " rank: " : " ranks: ")
                    + (done == 0 ? "warming up" : done + " of " + of));
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
