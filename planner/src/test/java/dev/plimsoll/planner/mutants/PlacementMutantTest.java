package dev.plimsoll.planner.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.MutantTable;
import dev.plimsoll.testkit.PackageCopy;
import dev.plimsoll.testkit.PackageMutants;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of the placing of experts: a test that each of them names has to fail on it, and passes without it. */
class PlacementMutantTest {
    private static final String PACKAGE = "dev.plimsoll.planner.placement";
    private static final PackageMutants MUTANTS = new PackageMutants(PACKAGE, "mutants.txt");

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

    @Test
    void withoutAReplacementTheTextIsLeftOut() {
        assertThat(only("mutant gone", "why w", "in A.java", "by ATest", "- stop();")
                        .applyTo("stop();go();"))
                .isEqualTo("go();");
    }

    @Test
    void aTextThatIsNowhereOrTwiceIsRefused() {
        Mutant mutant = only("mutant gone", "why w", "in A.java", "by ATest", "- stop();");

        assertThatThrownBy(() -> mutant.applyTo("go();"))
                .hasMessageContaining("gone")
                .hasMessageContaining("nowhere");
        assertThatThrownBy(() -> mutant.applyTo("stop();stop();"))
                .hasMessageContaining("gone")
                .hasMessageContaining("more than once");
    }

    @Test
    void whatIsNotUnderstoodIsRefused() {
        assertThatThrownBy(() -> only("- x")).hasMessageContaining("before the first mutant");
        assertThatThrownBy(() -> only("mutant a", "wyh w")).hasMessageContaining("wyh");
        assertThatThrownBy(() -> only("mutant a", "in A.java", "by ATest", "- x"))
                .hasMessageContaining("'why'");
        assertThatThrownBy(() -> only("mutant a", "why w", "in A.java", "- x")).hasMessageContaining("'by'");
        assertThatThrownBy(() -> only("mutant a", "why w", "in A.java", "by ATest"))
                .hasMessageContaining("to find");
        assertThatThrownBy(() -> only("mutant a", "why w", "in A.java", "by ATest", "- x", "+ x"))
                .hasMessageContaining("changes nothing");
        assertThatThrownBy(() -> only("mutant a", "why w", "in A.java", "by ATest", "- x", "mutant a"))
                .hasMessageContaining("two mutants");
    }

    @Test
    void mutantThatDoesNotCompileIsNotTakenForCaught() {
        assertThatThrownBy(() -> PackageCopy.of(PACKAGE, Map.of("Budget.java", "no java")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("do not compile");
    }

    private static Mutant only(String... lines) {
        return MutantTable.parse(List.of(lines)).get(0);
    }
}
