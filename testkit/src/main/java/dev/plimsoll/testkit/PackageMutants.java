package dev.plimsoll.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** A table of mutants of one package, and the package's sources in the module whose tests run. For one thread. */
public final class PackageMutants {
    private final String packageName;
    private final Path table;
    /** Methods that have caught a mutant and pass without one: they are run once, not once for each mutant. */
    private final Set<String> passing = new HashSet<>();

    private Optional<PackageCopy> sound = Optional.empty();

    /**
     * @param packageName such as {@code dev.plimsoll.replay.verify}
     * @param table name of a file of mutants among the resources of the module's tests
     */
    public PackageMutants(String packageName, String table) {
        this.packageName = packageName;
        this.table = Path.of("src/test/resources", table);
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

    /**
     * Fails unless one of the tests that a mutant names fails on a copy of the package with it, and that method passes on a copy
     * without any: a method that fails either way catches nothing.
     */
    public void requireCaught(Mutant mutant) {
        PackageCopy copy = PackageCopy.of(packageName, Map.of(mutant.file(), mutant.applyTo(source(mutant))));
        PackageCopy.Failure caught = mutant.tests().stream()
                .flatMap(test -> copy.firstFailure(test).stream())
                .findFirst()
                .orElseThrow(
                        () -> new AssertionError(mutant.tests() + " do not catch " + mutant + ": " + mutant.why()));
        if (passing.contains(caught.test())) {
            return;
        }
        sound().firstFailure(caught.test()).ifPresent(failure -> {
            throw new AssertionError(failure.test() + " fails without a mutant", failure.thrown());
        });
        passing.add(caught.test());
    }

    /** Compiled as mutants are, so that what compiling alone breaks is not taken for a mutant's doing. */
    private PackageCopy sound() {
        if (sound.isEmpty()) {
            Map<String, String> sources = new TreeMap<>();
            all().forEach(mutant -> sources.put(mutant.file(), source(mutant)));
            sound = Optional.of(PackageCopy.of(packageName, sources));
        }
        return sound.orElseThrow();
    }
}
