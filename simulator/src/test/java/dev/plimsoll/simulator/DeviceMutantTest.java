package dev.plimsoll.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.PackageCopy;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of what steps take on a device, which the tests have to catch. */
class DeviceMutantTest {
    private static final String PACKAGE = "dev.plimsoll.simulator";
    private static final PackageMutants MUTANTS = new PackageMutants(PACKAGE, "device-mutants.txt");

    static List<Mutant> mutants() {
        return MUTANTS.all();
    }

    /** Tests that fail without a mutant catch nothing. */
    @BeforeAll
    static void testsPassOnACopyWithoutAMutant() {
        Map<String, String> sources = new TreeMap<>();
        mutants().forEach(mutant -> sources.put(mutant.file(), MUTANTS.source(mutant)));
        PackageCopy copy = PackageCopy.of(PACKAGE, sources);
        mutants().stream()
                .flatMap(mutant -> mutant.tests().stream())
                .distinct()
                .forEach(test -> assertThat(copy.firstFailure(test)).as(test).isEmpty());
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        MUTANTS.requireCaught(mutant);
    }
}
