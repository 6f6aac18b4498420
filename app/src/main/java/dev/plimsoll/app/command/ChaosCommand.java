package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.Logs;
import dev.plimsoll.app.SharedDirectory;
import dev.plimsoll.app.chaos.ChaosReport;
import dev.plimsoll.app.chaos.ChaosRun;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Faults of real processes. */
@Command(
        name = "chaos",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Kill, freeze and damage a cluster of its own, then check every window that it has published.",
            "",
            "Three Kafka brokers with three copies of everything, two aggregators, two collectors and a planner run in"
                    + " processes of their own, beside simulated ranks that know to the token what they computed. Faults come"
                    + " one after the other, drawn from a seed: kill -9 and SIGSTOP of aggregators and collectors, kill -9 of a"
                    + " broker and of the planner, a rolling restart of the brokers, a partition moved away and back, a state"
                    + " record overwritten and put back. One reader looks on meanwhile, another reads everything afterwards.",
            "",
            "duplicate: a window, or a layer of one, that was published twice.",
            "mismatch: a window whose sums are not what the ranks computed in the steps that it has, or a sample that"
                    + " tells other counts than the ranks.",
            "missing: a gap in the chain of windows that no RESYNC explains; a window that was read once and is gone;"
                    + " windows whose samples stand in the log and are neither in a window nor counted as left out.",
            "A collector that is killed may lose what it had not sent: windows then say GAP, and that is no fault.",
            ""
        },
        footer = {
            "",
            "Exit codes: 0 all is well, 1 a process ended by itself or windows did not come back in time, 7 a window was"
                    + " twice, lost or wrong, or a token misrouted. Then what all processes printed is kept."
        })
public final class ChaosCommand implements Callable<Integer>, Validated {
    /** Exit code when a guarantee is broken. */
    static final int BROKEN = 7;

    @Option(
            names = "--for",
            paramLabel = "DURATION",
            defaultValue = "30m",
            description =
                    "How long faults happen, from the first windows on (default: ${DEFAULT-VALUE}). Starting before"
                            + " and checking behind take about half a minute.")
    private Duration time = Duration.ofMinutes(30);

    @Option(
            names = "--seed",
            defaultValue = "7",
            description =
                    "Seed of the order of faults, of whom they befall, and of the load (default: ${DEFAULT-VALUE}).")
    private long seed = 7;

    @Option(
            names = "--output",
            paramLabel = "FORM",
            defaultValue = "text",
            description =
                    "text: what happens, line by line; json: one JSON object at the end on standard output, all else"
                            + " on standard error (default: ${DEFAULT-VALUE}).")
    private OutputForm output = OutputForm.TEXT;

    @Option(
            names = "--logs",
            paramLabel = "DIR",
            description =
                    "Where to keep what all processes print (default: a temporary directory, kept only when something"
                            + " went wrong).")
    @Nullable
    private Path directory;

    @Override
    public void check(Problems problems) {
        problems.require(
                directory == null || !Files.exists(directory) || Files.isDirectory(directory),
                "--logs: " + directory + " is not a directory");
        problems.require(!time.isZero() && !time.isNegative(), "--for must be longer than 0");
    }

    @Override
    public Integer call() throws Exception {
        PrintStream lines = output == OutputForm.JSON ? System.err : System.out;
        Logs.leaveToTheView();
        if (System.getenv("PLIMSOLL_LOG") == null) {
            Logs.muteLibraries();
        }
        SharedDirectory temporary =
                SharedDirectory.planned(Path.of(System.getProperty("java.io.tmpdir")), "plimsoll-chaos-logs-");
        Path logs = directory == null ? temporary.path() : directory;
        boolean keep = true;
        try (Lifecycle lifecycle = new Lifecycle()) {
            lifecycle.stopOnSignal();
            if (directory == null) {
                temporary.make();
            } else {
                Files.createDirectories(logs);
            }
            ChaosReport report = new ChaosRun(lifecycle, seed, time, logs, lines::println).go();
            keep = !report.clean() || !report.problems().isEmpty();
            lines.println(report.text());
            if (output == OutputForm.JSON) {
                System.out.println(report.json());
                System.out.flush();
            }
            return code(report);
        } catch (Lifecycle.Stopped e) {
            keep = false;
            lines.println("stopped before its end: no window was checked");
            throw e;
        } finally {
            if (keep || directory != null) {
                lines.println("what all processes printed is in " + logs);
            } else {
                temporary.close();
            }
        }
    }

    private static int code(ChaosReport report) {
        if (!report.clean()) {
            return BROKEN;
        }
        return report.problems().isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }
}
