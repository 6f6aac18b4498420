package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.Power.CRASH;
import static dev.plimsoll.worker.explorer.Power.END;
import static dev.plimsoll.worker.explorer.Power.FAIL_OVER;
import static dev.plimsoll.worker.explorer.Power.FAIL_TRANSFER;
import static dev.plimsoll.worker.explorer.Power.KILL_PLANNER;
import static dev.plimsoll.worker.explorer.Power.RESTART;
import static dev.plimsoll.worker.explorer.Power.SHOW_WINDOW;
import static dev.plimsoll.worker.explorer.Power.STOP;

import dev.plimsoll.planner.protocol.WrongPlanners;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of the planner, and of how it takes over: each must lead to a state that breaks an invariant, and how is told. */
class WrongPlannersTest {
    private static final Powers POWERS = Powers.NONE.with(STOP);

    private record Mutant(String name, Scope scope, String... breaks) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Mutant> mutants() {
        Scope one = Scope.of(POWERS, Plans.ONE);
        Scope two = Scope.of(POWERS, Plans.TWO);
        Scope failing = Scope.of(POWERS.with(FAIL_OVER), Plans.TWO);
        Scope idle = Scope.of(POWERS.with(KILL_PLANNER), Plans.SWITCHES);
        Scope moving = Scope.of(POWERS.with(FAIL_TRANSFER), Plans.WHOLE).whereEnginesMove();
        Scope lives = Scope.of(POWERS.with(CRASH).with(RESTART), Plans.ONE);
        Scope ending = Scope.of(POWERS.with(SHOW_WINDOW).with(END), Plans.ONE);
        return Stream.of(
                new Mutant("believes itself", one.with(WrongPlanners.believingItself()), "P6 truth"),
                new Mutant("permits on a majority", one.with(WrongPlanners.permittingOnAMajority()), "P3 authority"),
                new Mutant(
                        "uses the epoch of a void decision again",
                        two.with(WrongPlanners.reusingEpochs()),
                        "P4 single writer",
                        "noise"),
                new Mutant("begins without TERM", failing.with(WrongPlanners.withoutTerm()), "P4 single writer"),
                new Mutant(
                        "settles where ranks disagree",
                        moving.with(WrongPlanners.settlingOnDisagreement()),
                        "P6 truth"),
                new Mutant("ends on one rank's word", one.with(WrongPlanners.endingOnOneWord()), "P6 truth"),
                new Mutant(
                        "takes every engine to start as usual",
                        lives.with(WrongPlanners.takingEveryEngineToStartAsUsual()),
                        "P6 truth"),
                new Mutant(
                        "forgets idle slots when it takes over",
                        idle.with(WrongPlanners.forgettingIdleSlots()),
                        "P6 truth",
                        "P5 prefix"),
                new Mutant(
                        "reads the log before it fences",
                        failing.with(Scope.TakeOver.READS_THEN_FENCES),
                        "P4 single writer"),
                new Mutant(
                        "permits without the person that it waits for",
                        one.whereApprovalIsNeeded().with(WrongPlanners.permittingWithoutThePerson()),
                        "P3 authority"),
                new Mutant(
                        "ends whatever it is asked to",
                        ending.with(WrongPlanners.endingWhateverIsAskedFor()),
                        "P6 truth"),
                new Mutant(
                        "ends by windows what no rank has stopped",
                        ending.with(WrongPlanners.endingBeforeRanksHaveStopped()),
                        "P6 truth"),
                new Mutant("fences nobody", failing.with(Scope.TakeOver.FENCES_NOBODY), "P4 single writer"));
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongPlannerIsCaught(Mutant mutant) {
        WrongRanksTest.assertCaught("a planner that " + mutant.name(), mutant.scope(), mutant.breaks());
    }
}
