package dev.plimsoll.testkit;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * Independent readers of our files and topics: the Python environment that {@code .ci/readers} makes in {@code target/readers} at the
 * root of the repository, with duckdb, pyarrow, fastavro, confluent-kafka, safetensors and numpy. A test that asks for it is skipped, with
 * a notice, where it is absent.
 */
public final class Readers {
    private final Path python;

    private Readers(Path python) {
        this.python = python;
    }

    /** The environment; the running test is skipped where there is none. */
    public static Readers orSkip() {
        Optional<Path> found = find(Path.of("").toAbsolutePath());
        if (found.isEmpty()) {
            System.out.println(
                    "NOTICE: no independent reader checks this: there is no target/readers; .ci/readers makes it");
            Assumptions.abort("no target/readers: .ci/readers makes it");
        }
        return new Readers(found.orElseThrow());
    }

    /** Tests run in the directory of their module, or in the root. */
    private static Optional<Path> find(Path from) {
        for (Path directory = from; directory != null; directory = directory.getParent()) {
            if (Files.exists(directory.resolve(Path.of(".ci", "readers")))) {
                Path made = directory.resolve(Path.of("target", "readers"));
                Path python = made.resolve(Path.of("bin", "python"));
                return Files.exists(made.resolve("made-from.txt")) && Files.isExecutable(python)
                        ? Optional.of(python)
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }

    /**
     * Runs a script and gives what it printed.
     *
     * @param script Python, as text
     * @param arguments what it finds in {@code sys.argv[1:]}
     * @throws AssertionError when it fails, with what it said, or is not done in time
     */
    public String run(Duration longest, String script, Object... arguments) {
        List<String> command = new ArrayList<>(List.of(python.toString(), "-c", script));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        try {
            File said = File.createTempFile("readers", ".out");
            File complained = File.createTempFile("readers", ".err");
            try {
                return run(command, longest, said, complained);
            } finally {
                Files.deleteIfExists(said.toPath());
                Files.deleteIfExists(complained.toPath());
            }
        } catch (IOException e) {
            throw new AssertionError("cannot run " + python, e);
        }
    }

    private static String run(List<String> command, Duration longest, File said, File complained) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(said).redirectError(complained);
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        builder.environment().put("PYTHONIOENCODING", "utf-8");
        Process process = builder.start();
        try {
            if (!process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("not done within " + longest + ": " + Files.readString(complained.toPath()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new AssertionError("exit code " + process.exitValue() + ": " + Files.readString(complained.toPath()));
        }
        return Files.readString(said.toPath());
    }
}
