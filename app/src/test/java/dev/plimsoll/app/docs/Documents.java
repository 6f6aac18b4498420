package dev.plimsoll.app.docs;

import dev.plimsoll.app.Plimsoll;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;

/** Where the documents are, and what stands in them. Tests run in {@code app/}. */
final class Documents {
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Pattern FENCE = Pattern.compile("(?ms)^```(\\w*) *(\\S*)$\n(.*?)^```$");

    private Documents() {}

    /** Those for people: of the root, of {@code docs/} and {@code deploy/}, and of the native library. */
    static List<Path> all() {
        return Stream.of(ROOT, ROOT.resolve("docs"), ROOT.resolve("deploy"), ROOT.resolve("native"))
                .flatMap(Documents::markdown)
                .distinct()
                .sorted()
                .toList();
    }

    private static Stream<Path> markdown(Path directory) {
        int depth = directory.equals(ROOT) ? 1 : 6;
        try (Stream<Path> files = Files.walk(directory, depth)) {
            return files
                    .filter(file -> file.toString().endsWith(".md"))
                    .filter(file -> !directory.relativize(file).toString().contains("target/"))
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The fenced block that is named behind its language: {@code ```properties tls.properties}. */
    static String block(Path file, String name) {
        return FENCE.matcher(read(file))
                .results()
                .filter(block -> block.group(2).equals(name))
                .map(block -> block.group(3))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no block named " + name + " in " + file));
    }

    /** A document without its fenced blocks. */
    static String prose(Path file) {
        return FENCE.matcher(read(file)).replaceAll("");
    }

    /** Every {@code ./plimsoll} command that a fenced block shows, continued lines joined, without what follows a comment or {@code &}. */
    static List<String> commands(Path file) {
        return FENCE.matcher(read(file))
                .results()
                .flatMap(block -> block.group(3).replaceAll("\\\\\n\\s*", "").lines())
                .map(line -> Pattern.compile("^(?:\\$ )?(?:[A-Z_]+=\\S+ )*\\./plimsoll (.*)$")
                        .matcher(line))
                .filter(Matcher::matches)
                .map(command -> command.group(1).replaceAll("\\s*(#.*|&.*|\\|.*|>.*)$", ""))
                .toList();
    }

    /** What the parser says against a command; whether files exist and options agree is not its business. */
    static Optional<String> problem(List<String> command) {
        CommandLine.ParseResult parsed = Plimsoll.commandLine().parseArgs(command.toArray(String[]::new));
        List<Exception> errors = new ArrayList<>(parsed.errors());
        while (parsed.hasSubcommand()) {
            parsed = parsed.subcommand();
            errors.addAll(parsed.errors());
        }
        return errors.stream().map(Throwable::getMessage).findFirst();
    }
}
