package dev.plimsoll.replay.mutants;

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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of the engine of virtual time: a test that each of them names has to fail on it. */
class ReplayMutantTest {
    private static final String PACKAGE = "dev.plimsoll.replay";
    private static final Path SOURCES = Path.of("src/main/java", PACKAGE.split("\\."));

    static List<Mutant> mutants() {
        return MutantTable.read(Path.of("src/test/resources/replay-mutants.txt"));
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

    @Test
    void everyMutantOfTheTableFitsThePackageAsItIs() {
        assertThat(mutants())
                .isNotEmpty()
                .allSatisfy(mutant -> assertThat(mutant.applyTo(source(mutant)))
                        .as("%s", mutant)
                        .isNotEqualTo(source(mutant)));
    }

    private static String source(Mutant mutant) {
        try {
            return Files.readString(SOURCES.resolve(mutant.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
