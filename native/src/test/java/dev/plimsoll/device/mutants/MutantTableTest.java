package dev.plimsoll.device.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests that the table of mutants is what it says, and that no mutant in it has been left behind by the library. */
class MutantTableTest {
    private static final List<String> RUNS =
            List.of("run quick suite {work} --runs 2", "run slow suite {work} --runs 9");

    @Test
    void everyMutantOfTheTableFitsTheLibraryAsItIs() throws Exception {
        MutantTable table = MutantTable.read(Path.of("src/test/native/mutants.txt"));

        assertThat(table.mutants()).isNotEmpty();
        for (Mutant mutant : table.mutants()) {
            String source = Files.readString(Path.of("src/main/native", mutant.file()));
            assertThat(mutant.applyTo(source)).as(mutant.name()).isNotEqualTo(source);
        }
    }

    @Test
    void aTextOfSeveralLinesIsReplacedAsItStands() {
        Mutant mutant = only(
                "mutant late", "why w", "in a.cpp", "- if (ready) {", "-     go();", "+ if (true) {", "+     go();");

        assertThat(mutant.applyTo("{\n    if (ready) {\n    go();\n}")).isEqualTo("{\n    if (true) {\n    go();\n}");
    }

    @Test
    void withoutAReplacementTheTextIsLeftOut() {
        assertThat(only("mutant gone", "why w", "in a.cpp", "- wait(event);").applyTo("wait(event);go();"))
                .isEqualTo("go();");
    }

    @Test
    void aTextThatIsNowhereOrTwiceIsRefused() {
        Mutant mutant = only("mutant gone", "why w", "in a.cpp", "- wait();");

        assertThatThrownBy(() -> mutant.applyTo("go();"))
                .hasMessageContaining("gone")
                .hasMessageContaining("nowhere");
        assertThatThrownBy(() -> mutant.applyTo("wait();wait();"))
                .hasMessageContaining("gone")
                .hasMessageContaining("more than once");
    }

    @Test
    void aMutantThatNamesNoRunIsGivenToAll() {
        assertThat(only("mutant a", "why w", "in a.cpp", "- x").runs()).containsExactly("quick", "slow");
        assertThat(only("mutant a", "why w", "in a.cpp", "by slow", "- x").runs())
                .containsExactly("slow");
    }

    @Test
    void whatIsNotUnderstoodIsRefused() {
        assertThatThrownBy(() -> only("- x")).hasMessageContaining("before the first mutant");
        assertThatThrownBy(() -> only("mutant a", "wyh w")).hasMessageContaining("wyh");
        assertThatThrownBy(() -> only("mutant a", "in a.cpp", "- x")).hasMessageContaining("'why'");
        assertThatThrownBy(() -> only("mutant a", "why w", "in a.cpp")).hasMessageContaining("to find");
        assertThatThrownBy(() -> only("mutant a", "why w", "in a.cpp", "by cuda", "- x"))
                .hasMessageContaining("'cuda'");
        assertThatThrownBy(() -> only("mutant a", "why w", "in a.cpp", "- x", "+ x"))
                .hasMessageContaining("changes nothing");
        assertThatThrownBy(() -> only("mutant a", "why w", "in a.cpp", "- x", "mutant a"))
                .hasMessageContaining("two mutants");
    }

    private static Mutant only(String... lines) {
        List<String> all = new ArrayList<>(RUNS);
        all.addAll(List.of(lines));
        return MutantTable.parse(all).mutants().get(0);
    }
}
