package dev.plimsoll.model;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of device profiles, which their tests have to catch. */
class ProfileMutantTest {
    private static final PackageMutants MUTANTS = new PackageMutants("dev.plimsoll.model", "profile-mutants.txt");

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
