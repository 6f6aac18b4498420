package dev.plimsoll.app.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.planner.ApprovalChoice;
import dev.plimsoll.planner.PlannerSettings;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class PlanningOptionsTest {
    @Test
    void whatPeopleAskOfPlansReachesThePlanner() {
        PlannerSettings asked = settings(
                "--policy=swift",
                "--max-moves=11",
                "--max-layers=3",
                "--plan-threads=5",
                "--accept-boundaries=7",
                "--progress-boundaries=9",
                "--rollback=never",
                "--approval=required",
                "--approve-within=2h");

        assertThat(asked.policy()).isEqualTo("swift");
        assertThat(asked.budget().moves()).isEqualTo(11);
        assertThat(asked.budget().layers()).isEqualTo(3);
        assertThat(asked.planThreads()).isEqualTo(5);
        assertThat(asked.acceptBoundaries()).hasValue(7);
        assertThat(asked.progressBoundaries()).hasValue(9);
        assertThat(asked.rollback()).isFalse();
        assertThat(asked.approval()).isEqualTo(new ApprovalChoice(true, Duration.ofHours(2)));
    }

    @Test
    void nobodyIsAskedAndWhatIsWorseIsTakenBackWhereNothingElseIsSaid() {
        assertThat(settings().approval()).isEqualTo(ApprovalChoice.NONE);
        assertThat(settings().rollback()).isTrue();
    }

    private static PlannerSettings settings(String... options) {
        PlanningOptions asked = new PlanningOptions();
        new CommandLine(asked)
                .registerConverter(Duration.class, new Durations())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .parseArgs(options);
        return asked.limit(PlannerSettings.DEFAULTS);
    }
}
