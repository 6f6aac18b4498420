package dev.plimsoll.replay.format.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.testkit.Mutant;
import dev.plimsoll.testkit.MutantTable;
import dev.plimsoll.testkit.PackageCopy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of the readers of .pt files and of SGLang's dumps: a test that each of them names has to fail on it. */
class BinaryMutantTest {
    /** A mutant of a package. */
    record Wrong(String packageName, Mutant mutant) {
        String source() {
            try {
                return Files.readString(
                        Path.of("src/main/java", packageName.split("\\.")).resolve(mutant.file()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public String toString() {
            return mutant.name();
        }
    }

    static List<Wrong> mutants() {
        return Stream.of("torch", "sglang")
                .flatMap(last -> MutantTable.read(Path.of("src/test/resources", last + "-mutants.txt")).stream()
                        .map(mutant -> new Wrong("dev.plimsoll.replay.format." + last, mutant)))
                .toList();
    }

    @Tag("mutant")
    @Test
    void testsThatCatchMutantsPassOnACopyWithoutOne() {
        for (Wrong wrong : List.of(mutants().get(0), mutants().get(mutants().size() - 1))) {
            PackageCopy copy = PackageCopy.of(wrong.packageName, Map.of(wrong.mutant.file(), wrong.source()));
            mutants().stream()
                    .filter(other -> other.packageName.equals(wrong.packageName))
                    .flatMap(other -> other.mutant.tests().stream())
                    .distinct()
                    .forEach(
                            test -> assertThat(copy.firstFailure(test)).as(test).isEmpty());
        }
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Wrong wrong) {
        PackageCopy copy =
                PackageCopy.of(wrong.packageName, Map.of(wrong.mutant.file(), wrong.mutant.applyTo(wrong.source())));

        assertThat(wrong.mutant.tests().stream().map(copy::firstFailure).anyMatch(failure -> failure.isPresent()))
                .as("%s do not catch %s: %s", wrong.mutant.tests(), wrong, wrong.mutant.why())
                .isTrue();
    }

    @Test
    void everyMutantOfTheTablesFitsThePackageAsItIs() {
        assertThat(mutants())
                .isNotEmpty()
                .allSatisfy(wrong ->
                        assertThat(wrong.mutant.applyTo(wrong.source())).isNotEqualTo(wrong.source()));
    }
}
