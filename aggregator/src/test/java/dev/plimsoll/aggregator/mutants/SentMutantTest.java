package dev.plimsoll.aggregator.mutants;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of how tokens sent are added up and compared: the test that each of them names has to fail on it, and passes without it. */
class SentMutantTest {
    private static final PackageMutants MUTANTS =
            new PackageMutants("dev.plimsoll.aggregator.window", "sent-mutants.txt");

    static List<Mutant> mutants() {
        return MUTANTS.all();
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        MUTANTS.requireCaught(mutant);
    }
}
