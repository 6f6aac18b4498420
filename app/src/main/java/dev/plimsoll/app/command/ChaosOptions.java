package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.Logs;
import dev.plimsoll.app.SharedDirectory;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** What all kinds of chaos have in common: the seed, how it tells what comes of it, and where it keeps what processes print. */
final class ChaosOptions {
    /** Exit code when a guarantee is broken. */
    static final int BROKEN = 7;

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

    /** What came of a run. */
    record Outcome(boolean clean, boolean problems, String text, String json) {}

    /** A run. */
    interface Run {
        /** @param logs a directory that is there */
        Outcome go(Lifecycle lifecycle, Path logs, PrintStream lines) throws Exception;
    }

    void check(Problems problems) {
        problems.require(
                directory == null || !Files.exists(directory) || Files.isDirectory(directory),
                "--logs: " + directory + " is not a directory");
    }

    long seed() {
        return seed;
    }

    /** Runs, tells what came of it, and keeps what was printed where that is wanted; the exit code. */
    int run(Run run) throws Exception {
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
            Outcome outcome = run.go(lifecycle, logs, lines);
            keep = !outcome.clean() || outcome.problems();
            lines.println(outcome.text());
            if (output == OutputForm.JSON) {
                System.out.println(outcome.json());
                System.out.flush();
            }
            return code(outcome);
        } catch (Lifecycle.Stopped e) {
            keep = false;
            lines.println("stopped before its end: nothing was checked");
            throw e;
        } finally {
            if (keep || directory != null) {
                lines.println("what all processes printed is in " + logs);
            } else {
                temporary.close();
            }
        }
    }

    private static int code(Outcome outcome) {
        if (!outcome.clean()) {
            return BROKEN;
        }
        return outcome.problems() ? ExitCode.SOFTWARE : ExitCode.OK;
    }
}
