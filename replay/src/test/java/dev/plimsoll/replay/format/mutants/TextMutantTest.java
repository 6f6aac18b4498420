package dev.plimsoll.replay.format.mutants;

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

/** Wrong variants of the readers and writers of text formats: a test that each of them names has to fail on it. */
class TextMutantTest {
    private static final String PACKAGE = "dev.plimsoll.replay.format.text";
    private static final Path SOURCES = Path.of("src/main/java", PACKAGE.split("\\."));

    static List<Mutant> mutants() {
        return MutantTable.read(Path.of("src/test/resources/text-mutants.txt"));
    }

    @Tag("mutant")
    @Test
    void testsThatCatchMutantsPassOnACopyWithoutOne() {
        PackageCopy copy = PackageCopy.of(PACKAGE, Map.of("SlotMaps.java", source("SlotMaps.java")));
        mutants().stream()
                .flatMap(mutant -> mutant.tests().stream())
                .distinct()
                .forEach(test -> assertThat(copy.firstFailure(test)).as(test).isEmpty());
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        PackageCopy copy = PackageCopy.of(PACKAGE, Map.of(mutant.file(), mutant.applyTo(source(mutant.file()))));
        assertThat(mutant.tests().stream().map(copy::firstFailure).anyMatch(failure -> failure.isPresent()))
                .as("%s do not catch %s: %s", mutant.tests(), mutant, mutant.why())
                .isTrue();
    }

    @Test
    void everyMutantOfTheTableFitsThePackageAsItIs() {
        assertThat(mutants())
                .isNotEmpty()
                .allSatisfy(mutant ->
                        assertThat(mutant.applyTo(source(mutant.file()))).isNotEqualTo(source(mutant.file())));
    }

    private static String source(String file) {
        try {
            return Files.readString(SOURCES.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
