package dev.plimsoll.replay.report;

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

/** Wrong variants of what writes the report; those of its scripts are in {@link ReportBrowserTest}. */
class ReportMutantTest {
    private static final String PACKAGE = "dev.plimsoll.replay.report";
    private static final Path SOURCES = Path.of("src/main/java", PACKAGE.split("\\."));

    static List<Mutant> mutants() {
        return MutantTable.read(Path.of("src/test/resources/report-mutants.txt"));
    }

    private static String source(Mutant mutant) {
        try {
            return Files.readString(SOURCES.resolve(mutant.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
    void mutantsFitWhatTheyChangeAndACopyWithoutOnePasses() {
        assertThat(mutants())
                .isNotEmpty()
                .allSatisfy(mutant -> assertThat(mutant.applyTo(source(mutant))).isNotEqualTo(source(mutant)));
        Mutant first = mutants().get(0);
        PackageCopy copy = PackageCopy.of(PACKAGE, Map.of(first.file(), source(first)));
        assertThat(copy.firstFailure("ReportTest")).isEmpty();
    }
}
