package dev.plimsoll.bench.race;

import dev.plimsoll.bench.load.Child;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A contestant in a JVM of its own. All have the same flags. Threads: one at a time. */
final class Racer implements AutoCloseable {
    /** Those that the launcher script gives to roles, but for the class data archive, which only our own would profit from. */
    private static final List<String> FLAGS = List.of(
            "-Xmx1g",
            "-XX:+UseG1GC",
            "-XX:MaxGCPauseMillis=50",
            "-XX:Tier4InvocationThreshold=50000",
            "-XX:Tier4CompileThreshold=150000",
            "-Xlog:disable",
            "-Xlog:all=warning:stderr",
            "-XX:+IgnoreUnrecognizedVMOptions",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow");

    private final Contestant contestant;
    private final Child child;
    private final BufferedReader answers;

    /**
     * @param arguments main class and its arguments
     * @param log where its output goes
     * @param recording where a flight recording goes when it ends
     */
    Racer(Contestant contestant, List<String> arguments, Path log, Optional<Path> recording) throws IOException {
        this.contestant = contestant;
        List<String> flags = new ArrayList<>(FLAGS);
        recording.ifPresent(file -> flags.add(
                "-XX:StartFlightRecording=settings=profile,dumponexit=true,filename=" + file.toAbsolutePath()));
        child = new Child(
                contestant.label(),
                new ProcessBuilder(Child.command(flags, Watched.class.getName(), arguments))
                        .redirectError(Redirect.appendTo(log.toFile())));
        answers = child.process().inputReader(StandardCharsets.UTF_8);
    }

    Contestant contestant() {
        return contestant;
    }

    /** What it has used so far. */
    Reading read() throws IOException {
        OutputStream questions = child.process().getOutputStream();
        questions.write('\n');
        questions.flush();
        String answer = answers.readLine();
        while (answer != null && !answer.startsWith(Reading.PREFIX)) {
            answer = answers.readLine();
        }
        if (answer == null) {
            throw new IOException(contestant.label() + " has ended");
        }
        return Reading.of(answer);
    }

    boolean alive() {
        return child.alive();
    }

    /** As kill -9 does. */
    void kill() throws InterruptedException {
        child.process().destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        child.close();
    }
}
