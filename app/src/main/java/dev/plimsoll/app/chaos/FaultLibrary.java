package dev.plimsoll.app.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Faults from within a process that nothing of ours takes part in: a library of a page of C that is loaded before all others
 * ({@code LD_PRELOAD}). It shifts the clock of the process, of Kafka's client in it too, and cuts its connections when it gets a signal.
 *
 * <p>Compiled when it is needed, by the compiler that Plimsoll is built with. Where there is none, or no Linux, what needs it is left out,
 * and said to be. Any thread.
 */
final class FaultLibrary {
    /** Signals that faults.c knows: real-time ones, which no JVM uses. */
    static final String CUT_WEIGHTS = "44";

    static final String CUT_GATHERS = "45";

    private static final String SOURCE = "faults.c";
    private static final long COMPILING_SECONDS = 60;

    private final Path library;
    private final boolean there;
    private final Map<String, Long> clocks = new ConcurrentHashMap<>();

    private FaultLibrary(Path library, boolean there) {
        this.library = library;
        this.there = there;
    }

    /** @param lines told why it cannot be had */
    static FaultLibrary compiled(Path directory, Consumer<String> lines) {
        Path library = directory.resolve("faults.so").toAbsolutePath();
        Path source = directory.resolve(SOURCE);
        try (InputStream text = FaultLibrary.class.getResourceAsStream(SOURCE)) {
            if (text == null) {
                throw new IllegalStateException(SOURCE + " is not on the class path");
            }
            Files.copy(text, source, StandardCopyOption.REPLACE_EXISTING);
            Process compiler = new ProcessBuilder(
                            "cc", "-O1", "-fPIC", "-shared", "-o", library.toString(), source.toString(), "-ldl")
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("faults.log").toFile())
                    .start();
            if (compiler.waitFor(COMPILING_SECONDS, TimeUnit.SECONDS) && compiler.exitValue() == 0) {
                return new FaultLibrary(library, true);
            }
            compiler.destroyForcibly();
            lines.accept("the C compiler does not take " + source + ": clocks stay right and connections whole; see "
                    + directory.resolve("faults.log"));
        } catch (IOException e) {
            lines.accept("no C compiler (" + e.getMessage() + "): clocks stay right and connections whole");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return new FaultLibrary(library, false);
    }

    boolean there() {
        return there;
    }

    /** The next lives of a process have this clock. */
    void shift(String member, long millis) {
        clocks.put(member, millis);
    }

    /** What a life of a process with a clock of its own is begun with. */
    Map<String, String> clock(String member) {
        long millis = clocks.getOrDefault(member, 0L);
        return there && millis != 0 ? with("PLIMSOLL_CLOCK_MILLIS", Long.toString(millis)) : Map.of();
    }

    /** What ranks are begun with whose connections may be cut: those for gathers end at this port, on one side or the other. */
    Map<String, String> connections(int enginePort, int gatherPort) {
        return there ? with("PLIMSOLL_PORTS", enginePort + "," + gatherPort) : Map.of();
    }

    private Map<String, String> with(String name, String value) {
        try {
            return Map.of("LD_PRELOAD", library.toRealPath().toString(), name, value);
        } catch (IOException e) {
            throw new UncheckedIOException(library + " is gone", e);
        }
    }
}
