package dev.plimsoll.aggregator.mutants;

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

/** Wrong variants of how the time of steps is added up: the test that each of them names has to fail on it, and passes without it. */
class TimesMutantTest {
    private static final String PACKAGE = "dev.plimsoll.aggregator.window";
    private static final PackageMutants MUTANTS = new PackageMutants(PACKAGE, "times-mutants.txt");

    static List<Mutant> mutants() {
        return MUTANTS.all();
    }

    /** A test that fails without a mutant catches nothing. */
    @BeforeAll
    static void theTestPassesOnACopyWithoutOne() {
        Map<String, String> sources = new TreeMap<>();
        mutants().forEach(mutant -> sources.put(mutant.file(), MUTANTS.source(mutant)));
        assertThat(PackageCopy.of(PACKAGE, sources).firstFailure("TimesTest")).isEmpty();
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        MUTANTS.requireCaught(mutant);
    }
}
