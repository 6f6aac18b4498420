package dev.plimsoll.device.mutants;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The library as objects, and the test programs that are linked with them, so that a mutant compiles what it changes alone. */
final class Library {
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String COMPILER = "cxx.sh";
    private static final String SUITE = "device_suite";

    private final Path sources;
    private final Path tests;
    private final Path objects;
    private final Path doubles;

    /** Compiles nothing yet. The directory of the doubles need not be there. */
    Library(Path sources, Path tests, Path objects, Path doubles) {
        this.sources = sources;
        this.tests = tests;
        this.objects = objects;
        this.doubles = doubles;
    }

    /** The sources of the library. */
    List<Path> units() {
        return listed(sources);
    }

    /** The sources of a program, NAME.cpp; what the common suite consists of lies in a directory of its own. */
    List<Path> units(String program) {
        List<Path> units = new ArrayList<>(List.of(tests.resolve(program + ".cpp")));
        if (program.equals(SUITE)) {
            units.addAll(listed(tests.resolve("suite")));
        }
        return units;
    }

    private static List<Path> listed(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".cpp"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list the sources in " + directory, e);
        }
    }

    String source(String file) {
        try {
            return Files.readString(sources.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the source " + file, e);
        }
    }

    /** Compiles a source, as it is, for all that is linked later. */
    void compile(Path unit) throws InterruptedException {
        compile(unit, sources, object(objects, unit));
    }

    /** Links a program with the library as it is. */
    Path link(String program) throws InterruptedException {
        List<Path> parts = new ArrayList<>();
        for (List<Path> units : List.of(units(program), units())) {
            units.forEach(unit -> parts.add(object(objects, unit)));
        }
        return link(parts, objects.resolve(program));
    }

    /** Links a program with the library as the mutant has it; the mutant gets a directory of its own. */
    Path link(String program, Mutant mutant, Path directory) throws InterruptedException {
        Path changed = directory.resolve("src");
        // All sources: a header is looked for beside the file that includes it, before any -I.
        copy(sources, changed);
        write(changed.resolve(mutant.file()), mutant.applyTo(source(mutant.file())));
        List<Path> parts = new ArrayList<>();
        for (Path unit : units(program)) {
            parts.add(part(unit, unit, mutant, changed, directory));
        }
        for (Path unit : units()) {
            parts.add(part(unit, changed.resolve(unit.getFileName()), mutant, changed, directory));
        }
        return link(parts, directory.resolve(program));
    }

    private Path part(Path unit, Path source, Mutant mutant, Path changed, Path directory) throws InterruptedException {
        if (!includes(unit, mutant.file())) {
            return object(objects, unit);
        }
        Path object = object(directory, unit);
        compile(source, changed, object);
        return object;
    }

    /** Whether a file of the library is the unit itself or a header that it includes, as the compiler has noted. */
    private boolean includes(Path unit, String file) {
        try {
            Path dependencies = Path.of(object(objects, unit).toString().replaceFirst("o$", "d"));
            return Arrays.asList(Files.readString(dependencies).split("[\\s\\\\]+"))
                    .contains(sources.resolve(file).toString());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read what " + unit + " includes", e);
        }
    }

    private void compile(Path source, Path headers, Path object) throws InterruptedException {
        // What a mutant leaves unused is no news, so without warnings. As quick to compile as threads that race allow.
        succeed(
                object,
                List.of(
                        "-std=c++17",
                        "-O1",
                        "-g1",
                        "-w",
                        "-fPIC",
                        "-pthread",
                        "-MMD",
                        "-I" + headers,
                        "-I" + tests.resolve("doubles"),
                        "-c"),
                List.of("-o", object.toString(), source.toString()));
    }

    private Path link(List<Path> parts, Path program) throws InterruptedException {
        List<String> end = new ArrayList<>(List.of("-o", program.toString()));
        parts.forEach(part -> end.add(part.toString()));
        if (Files.exists(doubles)) {
            // Whoever drives the doubles is linked with their core; the back ends find the others by themselves.
            end.addAll(List.of("-Wl,--as-needed", "-L" + doubles, "-lplimsoll_double", "-Wl,-rpath," + doubles));
        }
        end.add("-ldl");
        succeed(program, List.of("-pthread"), end);
        return program;
    }

    private void succeed(Path output, List<String> options, List<String> end) throws InterruptedException {
        List<String> words = new ArrayList<>(List.of(sources.resolve(COMPILER).toString()));
        words.addAll(options);
        words.addAll(end);
        Command command = Command.run(words, Path.of(output + ".log"), PATIENCE);
        if (!command.passed()) {
            throw new IllegalStateException("cannot build " + output + "; a mutant must compile:\n" + command.output());
        }
    }

    /** Named by where the source is, for the suite may have a file of the same name as the library. */
    private static Path object(Path directory, Path unit) {
        int names = unit.getNameCount();
        return directory.resolve(unit.subpath(names - 3, names).toString().replace('/', '-') + ".o");
    }

    private static void copy(Path from, Path to) {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(from.relativize(file)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy " + from + " to " + to, e);
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
