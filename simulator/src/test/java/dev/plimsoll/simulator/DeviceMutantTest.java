package dev.plimsoll.simulator;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of what steps take on a device, which the tests have to catch. */
class DeviceMutantTest {
    private static final PackageMutants MUTANTS = new PackageMutants("dev.plimsoll.simulator", "device-mutants.txt");

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
