package dev.plimsoll.replay.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageCopy;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of what writes the report; those of its scripts are in {@link ReportBrowserTest}. */
class ReportMutantTest {
    private static final String PACKAGE = "dev.plimsoll.replay.report";
    private static final PackageMutants MUTANTS = new PackageMutants(PACKAGE, "report-mutants.txt");

    static List<Mutant> mutants() {
        return MUTANTS.all();
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        MUTANTS.requireCaught(mutant);
    }

    @Test
    void mutantsFitWhatTheyChangeAndACopyWithoutOnePasses() {
        assertThat(mutants())
                .isNotEmpty()
                .allSatisfy(mutant ->
                        assertThat(mutant.applyTo(MUTANTS.source(mutant))).isNotEqualTo(MUTANTS.source(mutant)));
        Mutant first = mutants().get(0);
        PackageCopy copy = PackageCopy.of(PACKAGE, Map.of(first.file(), MUTANTS.source(first)));
        assertThat(copy.firstFailure("ReportTest")).isEmpty();
    }
}
