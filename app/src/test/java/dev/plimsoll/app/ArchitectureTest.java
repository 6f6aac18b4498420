package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import dev.plimsoll.planner.placement.WrongOnPurpose;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

class ArchitectureTest {

    static final List<ArchRule> HOMES = List.of(
            Architecture.KAFKA,
            Architecture.AVRO,
            Architecture.PARQUET,
            Architecture.JAVACPP,
            Architecture.MICROMETER,
            Architecture.PICOCLI);

    /** All modules are on this one's class path, so all of Plimsoll is here. */
    private static final JavaClasses PLIMSOLL = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("dev.plimsoll");

    @ParameterizedTest
    @FieldSource("dev.plimsoll.app.Architecture#PURE")
    void purePackagesKnowNoLibraryNoThreadAndNoClock(String packageName) {
        Architecture.isPure(packageName).check(PLIMSOLL);
    }

    @ParameterizedTest
    @FieldSource("HOMES")
    void everyLibraryStaysInItsHome(ArchRule home) {
        home.check(PLIMSOLL);
    }

    @Test
    void theClassesUnderTestAreThereAndWithoutTests() {
        assertThat(PLIMSOLL.contain("dev.plimsoll.app.broker.EmbeddedBroker")).isTrue();
        assertThat(PLIMSOLL.contain(ArchitectureTest.class)).isFalse();
    }

    static Stream<Arguments> wrong() {
        ArchRule pure = Architecture.isPure("dev.plimsoll.planner.placement");
        return Stream.of(
                arguments(Architecture.KAFKA, WrongOnPurpose.KnowsKafka.class),
                arguments(Architecture.AVRO, WrongOnPurpose.KnowsAvro.class),
                arguments(Architecture.PARQUET, WrongOnPurpose.KnowsParquet.class),
                arguments(Architecture.JAVACPP, WrongOnPurpose.KnowsNativeMemory.class),
                arguments(Architecture.MICROMETER, WrongOnPurpose.KnowsMicrometer.class),
                arguments(Architecture.PICOCLI, WrongOnPurpose.KnowsTheCommandLine.class),
                arguments(pure, WrongOnPurpose.KnowsKafka.class),
                arguments(pure, WrongOnPurpose.KnowsAvro.class),
                arguments(pure, WrongOnPurpose.KnowsParquet.class),
                arguments(pure, WrongOnPurpose.KnowsReactor.class),
                arguments(pure, WrongOnPurpose.KnowsMicrometer.class),
                arguments(pure, WrongOnPurpose.KnowsLogging.class),
                arguments(pure, WrongOnPurpose.KnowsNativeMemory.class),
                arguments(pure, WrongOnPurpose.RunsOnAnExecutor.class),
                arguments(pure, WrongOnPurpose.StartsAThread.class),
                arguments(pure, WrongOnPurpose.HoldsAClock.class),
                arguments(pure, WrongOnPurpose.AsksForTheInstant.class),
                arguments(pure, WrongOnPurpose.AsksForTheMillis.class),
                arguments(pure, WrongOnPurpose.AsksForTheNanos.class));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void theRulesRefuseWhatIsWrong(ArchRule rule, Class<?> wrong) {
        assertThat(rule.evaluate(new ClassFileImporter().importClasses(wrong)).hasViolation())
                .isTrue();
    }

    @Test
    void theRulesLetPassWhatIsRight() {
        JavaClasses right = new ClassFileImporter().importClasses(WrongOnPurpose.IsPure.class);

        assertThat(Architecture.isPure("dev.plimsoll.planner.placement")
                        .evaluate(right)
                        .hasViolation())
                .isFalse();
        assertThat(HOMES).noneMatch(home -> home.evaluate(right).hasViolation());
    }
}
