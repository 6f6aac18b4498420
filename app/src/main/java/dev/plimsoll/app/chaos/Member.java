package dev.plimsoll.app.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A role of the fleet: a command of {@code plimsoll} in a JVM of its own, which can be killed, frozen, stopped and started again. All
 * that its lives print goes to one file.
 *
 * <p>Any thread; a life is ended and begun by one at a time.
 */
final class Member {
    private static final List<String> JVM = List.of(
            "-XX:+IgnoreUnrecognizedVMOptions",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xlog:disable",
            "-Xlog:all=error:stderr");

    private final String name;
    private final int heapMegabytes;
    private final Path log;
    private final Supplier<Life> lives;
    private volatile @Nullable Process process;
    /** Whether it is ours that it does not run. */
    private volatile boolean down = true;

    /**
     * How a life is begun.
     *
     * @param environment on top of ours
     */
    record Life(List<String> arguments, Map<String, String> environment) {
        Life {
            arguments = List.copyOf(arguments);
            environment = Map.copyOf(environment);
        }
    }

    /** Every life of it is begun alike. */
    Member(String name, int heapMegabytes, Path logs, List<String> arguments) {
        this(name, heapMegabytes, logs, () -> new Life(arguments, Map.of()));
    }

    /** @param lives asked before each life */
    Member(String name, int heapMegabytes, Path logs, Supplier<Life> lives) {
        this.name = name;
        this.heapMegabytes = heapMegabytes;
        this.log = logs.resolve(name + ".log");
        this.lives = lives;
    }

    /** The classes' archive that the launcher has made, where this process has one: a life begins in half the time. */
    private static List<String> shared() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> option.startsWith("-XX:SharedArchiveFile=")
                        || option.startsWith("-Dorg.bytedeco.javacpp.cachedir="))
                .toList();
    }

    String name() {
        return name;
    }

    synchronized void start() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM);
        command.addAll(shared());
        command.add("-Xmx" + heapMegabytes + "m");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "dev.plimsoll.app.Plimsoll"));
        Life life = lives.get();
        command.addAll(life.arguments());
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            builder.environment().putAll(life.environment());
            process = builder.start();
            down = false;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + name, e);
        }
    }

    /** {@code kill -9}; a frozen process dies too. */
    synchronized void kill() {
        down = true;
        Process running = process;
        if (running != null) {
            running.destroyForcibly();
            join(running, Duration.ofSeconds(10));
        }
    }

    /** SIGTERM, and {@code kill -9} for one that has not ended in time. */
    synchronized void stop(Duration longest) {
        down = true;
        Process running = process;
        if (running != null) {
            running.destroy();
            if (!join(running, longest)) {
                kill();
            }
        }
    }

    /** Asks for a stop without waiting for it. */
    void askToStop() {
        down = true;
        Process running = process;
        if (running != null) {
            running.destroy();
        }
    }

    /** SIGSTOP: it does nothing any more, but is not gone. */
    void freeze() {
        signal("STOP");
    }

    /** SIGCONT: it goes on as if nothing had happened. */
    void thaw() {
        signal("CONT");
    }

    /** Sends a signal, by its name or its number. */
    void signal(String signal) {
        Process running = process;
        if (running == null) {
            throw new IllegalStateException(name + " does not run");
        }
        try {
            Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(running.pid()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!join(kill, Duration.ofSeconds(5)) || kill.exitValue() != 0) {
                throw new IllegalStateException("kill -" + signal + " of " + name + " did not work");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot send SIG" + signal + " to " + name, e);
        }
    }

    private static boolean join(Process process, Duration longest) {
        try {
            return process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The exit code, where it has ended although nobody here wanted it to. */
    OptionalInt endedByItself() {
        Process running = process;
        return down || running == null || running.isAlive() ? OptionalInt.empty() : OptionalInt.of(running.exitValue());
    }

    /** Whether a process of it is there, frozen or not. */
    boolean alive() {
        Process running = process;
        return running != null && running.isAlive();
    }

    /** Number of its newest process. */
    OptionalLong pid() {
        Process running = process;
        return running == null ? OptionalLong.empty() : OptionalLong.of(running.pid());
    }

    /** Waits for its end. */
    boolean awaitEnd(Duration longest) {
        Process running = process;
        return running == null || join(running, longest);
    }

    /** How many lines it has printed so far that have these words. */
    long lines(String words) {
        return printed().filter(line -> line.contains(words)).count();
    }

    /** All that its lives have printed so far, line by line. */
    Stream<String> printed() {
        if (!Files.exists(log)) {
            return Stream.of();
        }
        // Not as UTF-8: whoever is killed may leave half a character.
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            return lines.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + log, e);
        }
    }
}
