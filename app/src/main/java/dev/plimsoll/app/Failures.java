package dev.plimsoll.app;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.ExitCode;

/**
 * What a command says about a failure, in one line that names the file or the option and a remedy, and the exit code that goes with
 * it. The same for all commands, and for Errors too: a stack trace tells a user nothing.
 *
 * @param line without the command's name
 */
public record Failures(String line, int exitCode) {
    /** Exit code when there is not enough data yet: it may be there a little later. */
    public static final int TOO_EARLY = 3;

    /** Exit code when what a command rests on has changed meanwhile. */
    public static final int STALE = 4;

    /** Exit code when a rule forbids what was asked for. */
    public static final int REFUSED = 5;

    /** Exit code when a dependency cannot be reached. */
    public static final int UNREACHABLE = 6;

    /** Exit code when nobody has answered in time. */
    public static final int NO_ANSWER = 124;

    private static final String KAFKA = "org.apache.kafka";
    private static final String SET_UP = "KafkaSetupException";

    /** Describes a failure. */
    public static Failures of(Throwable failure) {
        if (failure instanceof EndedException ended) {
            return ended.told();
        }
        List<Throwable> chain = chain(failure);
        return ofKafka(chain)
                .or(() -> ofNativeLibrary(chain))
                .or(() -> ofMemory(chain))
                .or(() -> ofFile(chain))
                .orElseGet(() -> new Failures(message(failure), ExitCode.SOFTWARE));
    }

    private static List<Throwable> chain(Throwable failure) {
        List<Throwable> chain = new ArrayList<>();
        for (Throwable cause = failure; cause != null && !chain.contains(cause); cause = cause.getCause()) {
            chain.add(cause);
        }
        return chain;
    }

    /** By name: Kafka's classes have their home elsewhere. */
    private static Optional<Failures> ofKafka(List<Throwable> chain) {
        Optional<Throwable> ofKafka = chain.stream()
                .filter(cause -> cause.getClass().getName().startsWith(KAFKA)
                        || cause.getClass().getSimpleName().equals(SET_UP))
                .findFirst();
        if (ofKafka.isEmpty()) {
            return Optional.empty();
        }
        String root = String.join(
                ": ",
                chain.stream()
                        .map(Failures::message)
                        // "Failed to construct kafka consumer" is not the cause, nor is a class without words.
                        .filter(text -> !text.startsWith("Failed to c") && !text.endsWith("Exception"))
                        .reduce((outer, inner) -> outer.contains(inner) ? outer : outer + " (" + inner + ")")
                        .stream()
                        .toList());
        if (root.contains("No resolvable bootstrap urls")) {
            return unreachable(root + "; no such host is known here");
        }
        if (named(chain, "ConfigException", SET_UP) || constructs(chain)) {
            return Optional.of(new Failures(
                    "Kafka's clients cannot be set up: " + root
                            + "; check --bootstrap-servers (host:port,…) and --kafka-properties",
                    ExitCode.USAGE));
        }
        if (chain.stream().anyMatch(cause -> cause.getClass().getSimpleName().matches(".*Auth\\w+Exception"))) {
            return Optional.of(new Failures(
                    "Kafka refuses us: " + root + "; check the credentials in --kafka-properties and what they allow",
                    ExitCode.USAGE));
        }
        return named(chain, "TimeoutException", "DisconnectException", "NetworkException")
                ? unreachable(root)
                : Optional.of(new Failures("Kafka: " + root, ExitCode.SOFTWARE));
    }

    private static boolean named(List<Throwable> chain, String... names) {
        return chain.stream()
                .anyMatch(cause -> List.of(names).contains(cause.getClass().getSimpleName()));
    }

    private static boolean constructs(List<Throwable> chain) {
        return chain.stream()
                .anyMatch(cause ->
                        String.valueOf(cause.getMessage()).matches("Failed to (construct|create new) \\w*[kK]afka.*"));
    }

    private static Optional<Failures> unreachable(String why) {
        return Optional.of(
                new Failures("the cluster does not answer: " + why + "; check --bootstrap-servers", UNREACHABLE));
    }

    private static Optional<Failures> ofNativeLibrary(List<Throwable> chain) {
        if (chain.stream().noneMatch(LinkageError.class::isInstance)) {
            return Optional.empty();
        }
        Throwable root = chain.get(chain.size() - 1);
        return Optional.of(new Failures(
                "a library cannot be loaded: " + message(root) + "; native ones are unpacked to "
                        + Path.of(System.getProperty(
                                "org.bytedeco.javacpp.cachedir", System.getProperty("user.home") + "/.javacpp/cache"))
                        + ", which must be writable and not mounted noexec: another directory is named by"
                        + " PLIMSOLL_OPTS=-Dorg.bytedeco.javacpp.cachedir=DIR",
                ExitCode.SOFTWARE));
    }

    private static Optional<Failures> ofMemory(List<Throwable> chain) {
        return chain.stream()
                .filter(VirtualMachineError.class::isInstance)
                .findFirst()
                .map(error -> new Failures(
                        String.format(
                                Locale.ROOT,
                                "the heap of %d MiB is too small for this (%s): ask for less, or give more with"
                                        + " PLIMSOLL_HEAP, such as PLIMSOLL_HEAP=4g",
                                Runtime.getRuntime().maxMemory() >> 20,
                                message(error)),
                        ExitCode.SOFTWARE));
    }

    private static Optional<Failures> ofFile(List<Throwable> chain) {
        Optional<String> named = chain.stream()
                .filter(FileSystemException.class::isInstance)
                .map(FileSystemException.class::cast)
                .map(file -> "cannot use " + file.getFile() + ": " + reason(file))
                .findFirst();
        return named.or(() -> chain.stream()
                        .filter(UncheckedIOException.class::isInstance)
                        .map(outer -> message(outer) + ": " + message(chain.get(chain.size() - 1)))
                        .findFirst())
                .map(line -> new Failures(line, ExitCode.SOFTWARE));
    }

    private static String reason(FileSystemException file) {
        if (file instanceof NoSuchFileException) {
            return "it is not there";
        }
        if (file instanceof AccessDeniedException) {
            return "this user may not";
        }
        return file.getReason() == null ? file.getClass().getSimpleName() : file.getReason();
    }

    private static String message(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank() ? failure.toString() : message;
    }
}
