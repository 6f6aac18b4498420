package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of scoring by time: one of its tests has to fail on each. */
class TimeMutantTest {
    private static final String PACKAGE = "dev.plimsoll.replay.score.time";
    private static final PackageMutants MUTANTS = new PackageMutants(PACKAGE, "time-mutants.txt");

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
    void everyMutantOfTheTableFitsThePackageAsItIs() {
        assertThat(mutants())
                .isNotEmpty()
                .allSatisfy(mutant -> assertThat(mutant.applyTo(MUTANTS.source(mutant)))
                        .as("%s", mutant)
                        .isNotEqualTo(MUTANTS.source(mutant)));
    }
}
