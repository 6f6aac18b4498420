package dev.plimsoll.replay.mutants;

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

/** Wrong variants of exported tables: a test that each of them names has to fail on it, and passes without it. */
class ExportMutantTest {
    private static final String PACKAGE = "dev.plimsoll.replay.export";
    private static final PackageMutants MUTANTS = new PackageMutants(PACKAGE, "export-mutants.txt");

    static List<Mutant> mutants() {
        return MUTANTS.all();
    }

    /** A test that fails without a mutant catches nothing. */
    @BeforeAll
    static void testsThatCatchMutantsPassOnACopyWithoutOne() {
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
