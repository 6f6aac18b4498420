package dev.plimsoll.app.registry;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of the registry and of registering, which their tests have to catch. */
final class RegistryMutantTest {
    private static final PackageMutants MUTANTS =
            new PackageMutants("dev.plimsoll.app.registry", "registry-mutants.txt");

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
