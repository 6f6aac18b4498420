package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.plimsoll.planner.protocol.WrongPlanners;
import dev.plimsoll.worker.Seen.What;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random schedules of the whole loop, each of which its seed brings back: {@code -Dplimsoll.seed=N} runs that one and tells all that
 * happens in it, {@code -Dplimsoll.schedules=1000000} runs so many.
 */
class DecisionSimulationTest {
    private static final int SCHEDULES = Integer.getInteger("plimsoll.schedules", 100_000);

    @Test
    void everyDecisionEndsAndEveryRankServesWhatWasSettledOnAnySchedule() {
        Long only = Long.getLong("plimsoll.seed");
        if (only != null) {
            DecisionSimulation.run(
                    only,
                    new RememberedMachine(),
                    Planners.right(),
                    (boundary, what) -> System.out.println(boundary + " " + what));
            return;
        }
        Seen seen = Schedules.run(SCHEDULES, Planners.right());
        System.out.println(SCHEDULES + " schedules saw " + seen);

        requireOften(seen, 0.5, What.SETTLED, What.VOIDED, What.LIFE, What.PLANNER, What.LOST_GATHER, What.WINDOW);
        requireOften(seen, 0.02, What.PREFIX, What.LATE, What.ZOMBIE, What.DIED_BEFORE_COMMIT, What.DIED_UNTOLD);
        requireOften(seen, 0.1, What.CLOCK_SET, What.INCOMPLETE_WINDOW, What.PAUSED, What.RESUMED, What.HELD_BACK);
        requireOften(seen, 0.1, What.PINNED, What.DRAINED, What.CONSTRAINED, What.APPROVED, What.STOPPED);
        requireOften(seen, 0.1, What.ENDED_UNPERMITTED, What.NO_WAY_OUT, What.STALE, What.REFUSED);
        requireOften(seen, 0.03, What.REJECTED, What.WENT_BACK);
        requireOften(seen, 0.003, What.TOOK_BACK, What.ENDED_BY_SIGHT);
    }

    private static void requireOften(Seen seen, double perSchedule, What... whats) {
        for (What what : whats) {
            assertThat(seen.times(what)).as("%s in %s", what, seen).isGreaterThan((long) (perSchedule * SCHEDULES));
        }
    }

    private record Mutant(String name, Planners planners, String breaks) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Mutant> mutants() {
        Planners right = Planners.right();
        return Stream.of(
                new Mutant(
                        "counts time and no boundaries",
                        Planners.with(WrongPlanners.countingTimeAlone(DecisionSimulation.PATIENCE)),
                        "ranks have had their boundaries"),
                new Mutant(
                        "permits without the person that it waits for",
                        Planners.with(WrongPlanners.permittingWithoutThePerson(DecisionSimulation.PATIENCE)),
                        "somebody has approved it"),
                new Mutant(
                        "ends whatever it is asked to",
                        Planners.with(WrongPlanners.endingWhateverIsAskedFor(DecisionSimulation.PATIENCE)),
                        "every rank has flipped"),
                new Mutant(
                        "ends by windows what no rank has stopped",
                        right.deciding(WrongDrivers::endingBeforeRanksHaveStopped),
                        "every rank has flipped"),
                new Mutant(
                        "decides in a pause",
                        right.deciding(WrongDrivers::decidingInPauses),
                        "nothing is decided in a pause"),
                new Mutant(
                        "proposes what was planned before a pin",
                        right.deciding(WrongDrivers::keepingPlansOfBefore),
                        "people: "),
                new Mutant("plans without pins and drains", right.keepingNothing(), "it keeps pins and drains"),
                new Mutant(
                        "forgets people when it takes over",
                        right.deciding(WrongDrivers::forgettingPeopleInTakeOvers),
                        "people: "),
                new Mutant(
                        "answers again what its predecessor answered",
                        right.deciding(WrongDrivers::answeringAgainInTakeOvers),
                        "each command is answered once"),
                new Mutant(
                        "answers and does nothing",
                        right.deciding(WrongDrivers::answeringOnly),
                        "what is done is done in the same transaction"),
                new Mutant("obeys without an answer", right.deciding(WrongDrivers::obeyingWithoutAnAnswer), "people: "),
                new Mutant("tells before it has committed", right.tellingAtOnce(), "what is told is in the log"));
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongPlannerIsCaught(Mutant mutant) {
        assertThatThrownBy(() -> Schedules.run(SCHEDULES, mutant.planners()))
                .satisfies(caught -> System.out.println("a planner that " + mutant.name() + ": " + caught.getMessage()))
                .hasMessageContaining(mutant.breaks());
    }

    @Test
    void seedBringsItsScheduleBack() {
        StringBuilder first = new StringBuilder();
        StringBuilder second = new StringBuilder();
        RememberedMachine machine = new RememberedMachine();
        DecisionSimulation.run(6, machine, Planners.right());
        DecisionSimulation.run(
                7,
                machine,
                Planners.right(),
                (boundary, what) -> first.append(boundary).append(what));
        DecisionSimulation.run(
                7,
                new RememberedMachine(),
                Planners.right(),
                (boundary, what) -> second.append(boundary).append(what));

        assertThat(first.toString()).isNotEmpty().isEqualTo(second.toString());
    }
}
