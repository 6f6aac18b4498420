package dev.plimsoll.wire.life;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Lives that are wrong in one decision: the oracle has to find an event that shows it. */
@Tag("mutant")
final class LifeMutantTest {
    private static final LifeOracle.Machine RIGHT = PartitionLife::on;

    @Test
    void notFencingAfterOneHasWrittenIsFound() {
        assertFound((life, event) -> {
            Step step = RIGHT.on(life, event);
            return step.effects().contains(Effect.DROP) ? with(step, fence(step.next(), false)) : step;
        });
    }

    @Test
    void notFencingBeforeTheFirstWriteIsFound() {
        assertFound((life, event) -> {
            Step step = RIGHT.on(life, event);
            return event instanceof Event.WriterWanted ? with(step, fence(step.next(), life.mustFence())) : step;
        });
    }

    @Test
    void notCountingCrashesIsFound() {
        assertFound((life, event) -> {
            Step step = RIGHT.on(life, event);
            return event instanceof Event.Crashed ? with(step, crashes(step.next(), life.crashes())) : step;
        });
    }

    @Test
    void forgettingCrashesAtARecoveryIsFound() {
        assertFound((life, event) -> {
            Step step = RIGHT.on(life, event);
            return event instanceof Event.Recovered ? with(step, crashes(step.next(), Map.of())) : step;
        });
    }

    @Test
    void rememberingCrashesWithoutBoundIsFound() {
        assertFound((life, event) -> {
            Step step = RIGHT.on(life, event);
            if (!(event instanceof Event.Crashed crash) || step.effects().isEmpty()) {
                return step;
            }
            Map<Place, Integer> more = new HashMap<>(life.crashes());
            more.merge(crash.at(), 1, Integer::sum);
            return with(step, crashes(step.next(), more));
        });
    }

    @Test
    void leavingAPartitionAloneThatSparesTheRecordIsFound() {
        assertFound((life, event) -> event instanceof Event.Crashed crash && crash.broken()
                ? withCrash(life, crash, Event.Remedy.QUARANTINE)
                : RIGHT.on(life, event));
    }

    @Test
    void tryingABrokenMachineAgainAtOnceIsFound() {
        assertFound((life, event) -> event instanceof Event.Crashed crash
                ? RIGHT.on(life, new Event.Crashed(crash.at(), false))
                : RIGHT.on(life, event));
    }

    @Test
    void waitingWhereSomebodyShouldLookIsFound() {
        assertFound((life, event) -> event.equals(new Event.Failed(Event.Remedy.QUARANTINE))
                ? RIGHT.on(life, new Event.Failed(Event.Remedy.RESET))
                : RIGHT.on(life, event));
    }

    @Test
    void goingOnWithTheTaskAfterAFailureIsFound() {
        assertFound((life, event) ->
                event.equals(new Event.Failed(Event.Remedy.RETRY)) ? new Step(life, List.of()) : RIGHT.on(life, event));
    }

    @Test
    void keepingTheTaskOfAFailureIsFound() {
        assertFound((life, event) -> without(Effect.DROP, RIGHT.on(life, event)));
    }

    @Test
    void tellingNobodyOfAQuarantineIsFound() {
        assertFound((life, event) -> without(Effect.TELL_QUARANTINED, RIGHT.on(life, event)));
    }

    @Test
    void tellingNobodyOfAResetIsFound() {
        assertFound((life, event) -> without(Effect.TELL_RESET, RIGHT.on(life, event)));
    }

    @Test
    void keepingAWriterThatComesLateIsFound() {
        assertFound((life, event) -> without(Effect.DISCARD, RIGHT.on(life, event)));
    }

    @Test
    void recoveringFromAFenceOfAnEarlierLifeIsFound() {
        assertFound((life, event) -> event instanceof Event.TakenOver taken
                ? new Step(
                        new PartitionLife(Phase.RECOVERING, life.mustFence(), taken.writer(), life.crashes()),
                        List.of(Effect.RECOVER))
                : RIGHT.on(life, event));
    }

    @Test
    void takingOverWhatRunsIsFound() {
        assertFound((life, event) -> event instanceof Event.Due
                ? new Step(
                        new PartitionLife(Phase.FENCING, life.mustFence(), life.writer(), life.crashes()),
                        List.of(Effect.TAKE_OVER))
                : RIGHT.on(life, event));
    }

    @Test
    void goingOnInAnotherLogIsFound() {
        assertFound(
                (life, event) -> event instanceof Event.LogChanged ? new Step(life, List.of()) : RIGHT.on(life, event));
    }

    @Test
    void readingBeforeTheTaskHasRecoveredIsFound() {
        assertFound((life, event) -> {
            Step step = RIGHT.on(life, event);
            return step.effects().equals(List.of(Effect.RECOVER))
                    ? new Step(step.next(), List.of(Effect.RECOVER, Effect.RUN))
                    : step;
        });
    }

    private static void assertFound(LifeOracle.Machine wrong) {
        assertThatThrownBy(() -> LifeOracle.check(wrong, 200, 200)).isInstanceOf(AssertionError.class);
    }

    private static Step with(Step step, PartitionLife next) {
        return new Step(next, step.effects());
    }

    private static Step without(Effect left, Step step) {
        List<Effect> effects = new ArrayList<>(step.effects());
        effects.remove(left);
        return new Step(step.next(), effects);
    }

    private static Step withCrash(PartitionLife life, Event.Crashed crash, Event.Remedy remedy) {
        Step counted = RIGHT.on(life, crash);
        Step failed = RIGHT.on(life, new Event.Failed(remedy));
        return counted.effects().isEmpty()
                ? counted
                : with(failed, crashes(failed.next(), counted.next().crashes()));
    }

    private static PartitionLife fence(PartitionLife life, boolean mustFence) {
        return new PartitionLife(life.phase(), mustFence, life.writer(), life.crashes());
    }

    private static PartitionLife crashes(PartitionLife life, Map<Place, Integer> crashes) {
        return new PartitionLife(life.phase(), life.mustFence(), life.writer(), crashes);
    }
}
