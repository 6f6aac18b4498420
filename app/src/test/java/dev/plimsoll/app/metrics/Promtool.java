package dev.plimsoll.app.metrics;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Prometheus' own tool for rules. */
public final class Promtool {
    /** What a test says that is skipped without it. */
    public static final String MISSING = "no promtool here: .ci/promtool gets one out of Debian's package";

    private static final int PATIENCE_SECONDS = 120;

    private final Path program;

    private Promtool(Path program) {
        this.program = program;
    }

    /** The one of this machine; empty where there is none. Tests run in {@code app/}. */
    public static Optional<Promtool> installed() {
        return Stream.of("../target/promtool/usr/bin/promtool", "/usr/bin/promtool", "/usr/local/bin/promtool")
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .map(path -> new Promtool(path.toAbsolutePath()));
    }

    /** What a run said, and whether it was content. */
    public record Answer(boolean content, String text) {}

    public Answer run(List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException(command + " does not end: " + text);
            }
            return new Answer(process.exitValue() == 0, text);
        } finally {
            process.destroyForcibly();
        }
    }
}
