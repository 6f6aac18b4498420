package dev.plimsoll.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A table of mutants of one package, and the package's sources in the module whose tests run.
 *
 * @param packageName such as {@code dev.plimsoll.replay.verify}
 * @param table the file of mutants
 */
public record PackageMutants(String packageName, Path table) {
    /** @param table name of a file among the resources of the module's tests */
    public PackageMutants(String packageName, String table) {
        this(packageName, Path.of("src/test/resources", table));
    }

    /** The mutants, in the table's order. */
    public List<Mutant> all() {
        return MutantTable.read(table);
    }

    /** The file that a mutant changes, as it is. */
    public String source(Mutant mutant) {
        try {
            return Files.readString(
                    Path.of("src/main/java", packageName.split("\\.")).resolve(mutant.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fails if a test that a mutant names fails on a copy of the package without any: it would catch nothing. */
    public void requirePassingWithoutAny() {
        Map<String, String> sources = new TreeMap<>();
        all().forEach(mutant -> sources.put(mutant.file(), source(mutant)));
        PackageCopy copy = PackageCopy.of(packageName, sources);
        all().stream()
                .flatMap(mutant -> mutant.tests().stream())
                .distinct()
                .forEach(test -> copy.firstFailure(test).ifPresent(failure -> {
                    throw new AssertionError(test + " fails without a mutant", failure);
                }));
    }

    /** Fails unless one of the tests that a mutant names fails on a copy of the package with it. */
    public void requireCaught(Mutant mutant) {
        PackageCopy copy = PackageCopy.of(packageName, Map.of(mutant.file(), mutant.applyTo(source(mutant))));
        for (String test : mutant.tests()) {
            if (copy.firstFailure(test).isPresent()) {
                return;
            }
        }
        throw new AssertionError(mutant.tests() + " do not catch " + mutant + ": " + mutant.why());
    }
}
