package dev.plimsoll.worker.explorer;

import static dev.plimsoll.worker.explorer.OperatorsTest.ABORT;
import static dev.plimsoll.worker.explorer.OperatorsTest.BACK;
import static dev.plimsoll.worker.explorer.OperatorsTest.DRAIN;
import static dev.plimsoll.worker.explorer.OperatorsTest.PAUSE;
import static dev.plimsoll.worker.explorer.OperatorsTest.RESUME;
import static dev.plimsoll.worker.explorer.OperatorsTest.SMALL;
import static dev.plimsoll.worker.explorer.Power.FAIL_OVER;
import static dev.plimsoll.worker.explorer.Power.KILL_PLANNER;
import static dev.plimsoll.worker.explorer.Power.LOSE_GATHER;
import static dev.plimsoll.worker.explorer.Power.SLOW_PLAN;

import dev.plimsoll.model.ControlAction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong variants of what a planner makes of operators' words: each must lead to a state that breaks an invariant, and how is told. */
class WrongSteeringTest {
    private record Mutant(String name, Scope scope, String breaks) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Mutant> mutants() {
        return Stream.of(pausing(), answering(), asking()).flatMap(each -> each);
    }

    private static Scope scope(Powers powers, int most, ControlAction... actions) {
        return Scope.of(powers, SMALL).with(Wishes.of(most, actions));
    }

    private static Stream<Mutant> pausing() {
        Powers dying = Powers.NONE.with(KILL_PLANNER);
        return Stream.of(
                new Mutant(
                        "decides while it is paused",
                        scope(Powers.NONE, 1, PAUSE).with(WrongSteering.decidingWhileItIsPaused()),
                        OperatorRules.PAUSE),
                new Mutant(
                        "proposes what it planned before it was paused",
                        scope(Powers.NONE.with(SLOW_PLAN), 1, PAUSE).with(WrongSteering.keepingWhatIsBeingPlanned()),
                        OperatorRules.PAUSE),
                new Mutant(
                        "forgets at its take-over that it is paused",
                        scope(dying, 1, PAUSE).with(WrongSteering.forgettingAtTakeOver()),
                        OperatorRules.PAUSE),
                new Mutant(
                        "reads what operators say before it fences",
                        scope(Powers.NONE.with(FAIL_OVER), 1, PAUSE).with(Scope.TakeOver.READS_CONTROL_THEN_FENCES),
                        OperatorRules.PAUSE),
                new Mutant(
                        "hears nobody while it is paused",
                        scope(Powers.NONE, 2, PAUSE, RESUME).with(WrongSteering.hearingNobodyWhileItIsPaused()),
                        "P10 liveness"));
    }

    private static Stream<Mutant> answering() {
        Powers dying = Powers.NONE.with(KILL_PLANNER);
        return Stream.of(
                new Mutant(
                        "does at its take-over what was answered before it",
                        scope(dying, 1, BACK).with(WrongSteering.answeringAnewAtTakeOver()),
                        OperatorRules.ANSWERED_ONCE),
                new Mutant(
                        "does what is asked, and says so in the next transaction",
                        scope(dying, 1, BACK).with(WrongSteering.answeringAfterwards()),
                        OperatorRules.ONE_TRANSACTION),
                new Mutant(
                        "says that it is done before it does it",
                        scope(dying, 1, ABORT).with(WrongSteering.answeringBefore()),
                        OperatorRules.ONE_TRANSACTION),
                new Mutant(
                        "takes a command that is written twice for two",
                        Scope.of(Powers.NONE, SMALL)
                                .with(Wishes.of(2, PAUSE).repeating())
                                .with(WrongSteering.takingRepetitionsForMore()),
                        OperatorRules.ANSWERED_ONCE),
                new Mutant(
                        "heeds no version that a command rests on",
                        Scope.of(Powers.NONE, SMALL)
                                .with(Wishes.of(1, PAUSE).restingOnVersions())
                                .with(WrongSteering.heedingNoVersion()),
                        OperatorRules.STALE),
                new Mutant(
                        "says that it will not, and does it",
                        scope(Powers.NONE, 1, ABORT).with(WrongSteering.doingWhatItRefuses()),
                        OperatorRules.STALE));
    }

    private static Stream<Mutant> asking() {
        return Stream.of(
                new Mutant(
                        "goes back past drains",
                        scope(Powers.NONE, 2, BACK, DRAIN).with(WrongSteering.goingBackPastWhatIsAsked()),
                        OperatorRules.ASKED),
                new Mutant(
                        "keeps no note of a drain",
                        scope(Powers.NONE, 1, DRAIN).with(WrongSteering.notingNoDrain()),
                        OperatorRules.ASKED),
                new Mutant(
                        "takes approval of one decision for that of another",
                        scope(Powers.NONE, 1, new ControlAction.Approve(2))
                                .whereApprovalIsNeeded()
                                .with(WrongSteering.approvingWhateverIsInFlight()),
                        "P3 authority"),
                new Mutant(
                        "asks ranks anew after its take-over that cannot vote",
                        Scope.of(Powers.NONE.with(LOSE_GATHER).with(KILL_PLANNER), Plans.TWO_SMALL)
                                .with(WrongSteering.forgettingSetbacksAtTakeOver()),
                        OperatorRules.VOTELESS));
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongSteeringIsCaught(Mutant mutant) {
        WrongRanksTest.assertCaught("a planner that " + mutant.name(), mutant.scope(), mutant.breaks());
    }
}
