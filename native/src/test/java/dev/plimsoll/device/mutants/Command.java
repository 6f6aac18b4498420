package dev.plimsoll.device.mutants;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A program that was run, within a bound.
 *
 * @param exit its exit code, 128 and the signal's number if one ended it; {@link #HUNG} if it had to be ended
 * @param took until its end
 * @param output all that it wrote
 */
record Command(int exit, Duration took, String output) {
    static final int HUNG = -1;

    private static final Pattern TELLING =
            Pattern.compile("(?i)\\b(report|race|deadlock|failed|error|expected)\\b|\\.cpp:\\d+:");

    /** Runs a command to its end, or ends it, and the processes it has started, at the bound. */
    static Command run(List<String> words, Path log, Duration bound) throws InterruptedException {
        long start = System.nanoTime();
        try {
            Process process = new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            boolean ended;
            try {
                ended = process.waitFor(bound.toMillis(), TimeUnit.MILLISECONDS);
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
            int exit = ended ? process.exitValue() : HUNG;
            // Not strict about its encoding: a mutant may write anything.
            String output = new String(Files.readAllBytes(log), StandardCharsets.UTF_8);
            return new Command(exit, Duration.ofNanos(System.nanoTime() - start), output);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + String.join(" ", words), e);
        }
    }

    boolean passed() {
        return exit == 0;
    }

    /** In one line: how it ended, and the first line of its output that tells why. */
    String ending() {
        List<String> lines = output.lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
        String last = lines.isEmpty() ? "wrote nothing" : lines.get(lines.size() - 1);
        String line = IntStream.range(0, lines.size())
                .filter(i -> TELLING.matcher(lines.get(i)).find())
                .mapToObj(i -> lines.get(i).endsWith(":") && i + 1 < lines.size()
                        ? lines.get(i) + " " + lines.get(i + 1)
                        : lines.get(i))
                .findFirst()
                .orElse(last);
        String how = exit == HUNG
                ? "hung for " + took.toSeconds() + " s"
                : exit > 128 && exit < 128 + 65 ? "signal " + (exit - 128) : "exit " + exit;
        return how + ": " + (line.length() > 200 ? line.substring(0, 200) + "…" : line);
    }
}
