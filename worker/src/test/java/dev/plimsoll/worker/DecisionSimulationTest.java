package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.planner.protocol.DecisionProtocol;
import dev.plimsoll.planner.protocol.WrongPlanners;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random schedules of the whole loop, each of which its seed brings back: {@code -Dplimsoll.seed=N} runs that one and tells all that
 * happens in it, {@code -Dplimsoll.schedules=1000000} runs so many.
 */
class DecisionSimulationTest {
    private static final int SCHEDULES = Integer.getInteger("plimsoll.schedules", 10_000);

    private final RememberedMachine machine = new RememberedMachine();

    private static DecisionProtocol planner() {
        return new DecisionProtocol(DecisionSimulation.PATIENCE, "planner");
    }

    @Test
    void everyDecisionEndsAndEveryRankServesWhatWasSettledOnAnySchedule() {
        Long only = Long.getLong("plimsoll.seed");
        if (only != null) {
            DecisionSimulation.run(
                    only, machine, planner(), (boundary, what) -> System.out.println(boundary + " " + what));
            return;
        }
        DecisionSimulation.Seen seen = run(planner());
        System.out.println(SCHEDULES + " schedules saw " + seen);

        assertThat(seen.settled()).isGreaterThan(SCHEDULES / 2);
        assertThat(seen.prefixes()).isGreaterThan(SCHEDULES / 50);
        assertThat(seen.voided()).isGreaterThan(SCHEDULES / 2);
        assertThat(seen.late()).isGreaterThan(SCHEDULES / 50);
        assertThat(seen.lives()).isGreaterThan(SCHEDULES);
        assertThat(seen.planners()).isGreaterThan(SCHEDULES);
        assertThat(seen.zombies()).isGreaterThan(SCHEDULES / 10);
        assertThat(seen.lostGathers()).isGreaterThan(SCHEDULES);
    }

    private DecisionSimulation.Seen run(DecisionProtocol protocol) {
        DecisionSimulation.Seen seen = DecisionSimulation.Seen.NOTHING;
        for (long seed = 0; seed < SCHEDULES; seed++) {
            try {
                seen = seen.plus(DecisionSimulation.run(seed, machine, protocol));
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("-Dplimsoll.seed=" + seed + ": " + e.getMessage(), e);
            }
        }
        return seen;
    }

    @Tag("mutant")
    @Test
    void plannerThatCountsTimeAndNoBoundariesIsCaught() {
        assertThatThrownBy(() -> run(WrongPlanners.countingTimeAlone(DecisionSimulation.PATIENCE)))
                .hasMessageContaining("ranks have had their boundaries");
    }

    @Test
    void seedBringsItsScheduleBack() {
        StringBuilder first = new StringBuilder();
        StringBuilder second = new StringBuilder();
        DecisionSimulation.run(
                7,
                machine,
                planner(),
                (boundary, what) -> first.append(boundary).append(what));
        DecisionSimulation.run(
                7,
                new RememberedMachine(),
                planner(),
                (boundary, what) -> second.append(boundary).append(what));

        assertThat(first.toString()).isNotEmpty().isEqualTo(second.toString());
    }
}
