package dev.plimsoll.device.mutants;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Builds each mutant of the library and runs the tests that must catch it, as many at a time as there are processors:
 * {@code NativeMutants SOURCES TESTS WORK_DIRECTORY}. Ends with 0 when all were caught.
 */
final class NativeMutants {
    private final MutantTable table;
    private final Library library;
    private final Path tests;
    private final Path work;
    private final Map<String, Duration> took = new LinkedHashMap<>();

    private NativeMutants(Path sources, Path tests, Path work) {
        this.table = MutantTable.read(tests.resolve("mutants.txt"));
        this.tests = tests;
        this.work = work;
        this.library = new Library(sources, tests, work.resolve("unmutated"), work.resolve("doubles"));
    }

    public static void main(String[] args) throws Exception {
        Path work = Path.of(args[2]).toAbsolutePath();
        delete(work);
        Files.createDirectories(work.resolve("unmutated"));
        ExecutorService workers =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        int exit = 2;
        try {
            exit = new NativeMutants(
                                    Path.of(args[0]).toAbsolutePath(),
                                    Path.of(args[1]).toAbsolutePath(),
                                    work)
                            .runOn(workers)
                    ? 0
                    : 1;
        } catch (IllegalStateException e) {
            System.out.println("mutants: " + e.getMessage());
        } catch (ExecutionException e) {
            System.out.println("mutants: " + e.getCause());
        }
        // Ends what still runs, with the programs that it has started.
        workers.shutdownNow();
        workers.awaitTermination(10, TimeUnit.SECONDS);
        System.exit(exit);
    }

    private boolean runOn(ExecutorService workers) throws Exception {
        // All of them before any is run: a text that has moved is known in a second.
        table.mutants().forEach(mutant -> mutant.applyTo(library.source(mutant.file())));
        buildDoubles();

        Set<Path> sources = new LinkedHashSet<>(library.units());
        table.runs().keySet().forEach(run -> sources.addAll(library.units(program(run))));
        List<Callable<String>> units = new ArrayList<>();
        for (Path source : sources) {
            units.add(() -> {
                library.compile(source);
                return "";
            });
        }
        for (Future<String> unit : workers.invokeAll(units)) {
            unit.get();
        }
        for (String run : table.runs().keySet()) {
            took.put(run, passUnmutated(run));
        }

        int survived = 0;
        List<Future<Boolean>> caught = new ArrayList<>();
        for (Mutant mutant : table.mutants()) {
            caught.add(workers.submit(() -> isCaught(mutant)));
        }
        for (Future<Boolean> each : caught) {
            survived += each.get() ? 0 : 1;
        }
        System.out.printf(
                "mutants: %d killed, %d survived (plimsoll-native)%n",
                table.mutants().size() - survived, survived);
        return survived == 0 && !table.mutants().isEmpty();
    }

    /** The vendors' libraries as the tests have them, if the tests have any. */
    private void buildDoubles() throws InterruptedException {
        Path script = tests.resolve("doubles/build.sh");
        if (Files.exists(script)) {
            Path log = work.resolve("doubles.log");
            Command build =
                    Command.run(List.of("sh", script.toString(), doubles().toString()), log, Duration.ofMinutes(5));
            if (!build.passed()) {
                throw new IllegalStateException("cannot build the doubles:\n" + build.output());
            }
        }
    }

    /** A run that fails without a mutant catches nothing. */
    private Duration passUnmutated(String run) throws Exception {
        Command command = execute(run, library.link(program(run)), work.resolve("unmutated"), Duration.ofMinutes(5));
        if (!command.passed()) {
            throw new IllegalStateException("the run " + run + " fails without any mutant, " + command.ending()
                    + "; all that it wrote is in " + work.resolve("unmutated"));
        }
        System.out.printf(
                "passes    %-8s %4d ms  without any mutant%n",
                run, command.took().toMillis());
        return command.took();
    }

    private boolean isCaught(Mutant mutant) throws Exception {
        Path directory = Files.createDirectory(work.resolve(mutant.name()));
        Map<String, Path> programs = new LinkedHashMap<>();
        for (String run : mutant.runs()) {
            Path program = programs.get(program(run));
            if (program == null) {
                program = library.link(program(run), mutant, Files.createDirectory(directory.resolve(program(run))));
                programs.put(program(run), program);
            }
            // Far more than it needs beside other runs, so that only what hangs is taken to hang.
            Duration bound =
                    took.getOrDefault(run, Duration.ZERO).multipliedBy(3).plusSeconds(20);
            Command command = execute(run, program, directory, bound);
            if (!command.passed()) {
                System.out.printf(
                        "caught    %-8s %4d ms  %s: %s%n",
                        run, command.took().toMillis(), mutant.name(), command.ending());
                delete(directory);
                return true;
            }
        }
        System.out.printf(
                "SURVIVED  by %s  %s: %s; built in %s%n", mutant.runs(), mutant.name(), mutant.why(), directory);
        return false;
    }

    private Command execute(String run, Path program, Path directory, Duration bound) throws Exception {
        Path scratch = Files.createDirectory(directory.resolve("work-" + run));
        List<String> words = new ArrayList<>();
        for (String word : table.runs().getOrDefault(run, "").split("\\s+")) {
            words.add(word.replace("{work}", scratch.toString())
                    .replace("{doubles}", doubles().toString()));
        }
        words.set(0, program.toString());
        return Command.run(words, directory.resolve("output-" + run + ".txt"), bound);
    }

    private String program(String run) {
        return table.runs().getOrDefault(run, "").split("\\s+", 2)[0];
    }

    private Path doubles() {
        return work.resolve("doubles");
    }

    private static void delete(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
