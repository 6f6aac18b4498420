package dev.plimsoll.replay.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.MutantTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Wrong variants of the report's scripts, in a browser: a check of {@link ReportBrowserTest} that each of them names has to fail on it.
 * There are none where no Chromium is installed: one that is skipped would count as one that survived.
 */
class ReportScriptMutantTest {
    static List<Mutant> mutants() {
        return MutantTable.read(Path.of("src/test/resources/report-script-mutants.txt"));
    }

    static List<Mutant> mutantsThatCanBeTried() {
        return Browser.installed().isPresent() ? mutants() : List.of();
    }

    @BeforeAll
    static void start(@TempDir Path temporary) throws Exception {
        if (Browser.installed().isPresent()) {
            ReportBrowserTest.start(temporary);
        }
    }

    @AfterAll
    static void stop() throws IOException {
        ReportBrowserTest.stop();
    }

    @Test
    void everyMutantFitsTheScriptThatItChanges() {
        assertThat(mutants())
                .isNotEmpty()
                .allSatisfy(mutant -> assertThat(mutant.applyTo(Assets.resource(mutant.file())))
                        .isNotEqualTo(Assets.resource(mutant.file())));
    }

    @Tag("mutant")
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("mutantsThatCanBeTried")
    void wrongScriptIsCaught(Mutant mutant) throws IOException {
        Assets assets = Assets.of(
                name -> name.equals(mutant.file()) ? mutant.applyTo(Assets.resource(name)) : Assets.resource(name));
        for (String check : mutant.tests()) {
            try {
                ReportBrowserTest.check(check, assets);
            } catch (AssertionError caught) {
                return;
            }
        }
        throw new AssertionError(mutant.tests() + " do not catch " + mutant + ": " + mutant.why());
    }
}
