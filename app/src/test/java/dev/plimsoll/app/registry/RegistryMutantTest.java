package dev.plimsoll.app.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.MutantTable;
import dev.plimsoll.testkit.PackageCopy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of the registry and of registering, which their tests have to catch. */
final class RegistryMutantTest {
    private static final String PACKAGE = "dev.plimsoll.app.registry";
    private static final Path SOURCES = Path.of("src/main/java", PACKAGE.split("\\."));

    static List<Mutant> mutants() {
        return MutantTable.read(Path.of("src/test/resources/registry-mutants.txt"));
    }

    /** Tests that fail without a mutant catch nothing. */
    @BeforeAll
    static void testsPassOnACopyWithoutAMutant() {
        Map<String, String> sources = new TreeMap<>();
        mutants().forEach(mutant -> sources.put(mutant.file(), source(mutant)));
        PackageCopy copy = PackageCopy.of(PACKAGE, sources);
        mutants().stream()
                .flatMap(mutant -> mutant.tests().stream())
                .distinct()
                .forEach(test -> assertThat(copy.firstFailure(test)).as(test).isEmpty());
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        PackageCopy copy = PackageCopy.of(PACKAGE, Map.of(mutant.file(), mutant.applyTo(source(mutant))));
        for (String test : mutant.tests()) {
            if (copy.firstFailure(test).isPresent()) {
                return;
            }
        }
        throw new AssertionError(mutant.tests() + " do not catch " + mutant + ": " + mutant.why());
    }

    private static String source(Mutant mutant) {
        try {
            return Files.readString(SOURCES.resolve(mutant.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
