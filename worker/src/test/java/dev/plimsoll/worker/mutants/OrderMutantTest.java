package dev.plimsoll.worker.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of what ranks are told and what is said for them: a test that each of them names has to fail on it. */
class OrderMutantTest {
    private static final PackageMutants MUTANTS = new PackageMutants("dev.plimsoll.worker", "order-mutants.txt");

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
