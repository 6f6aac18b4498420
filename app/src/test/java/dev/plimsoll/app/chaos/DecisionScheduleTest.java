package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DecisionScheduleTest {
    private static final Duration LONG = Duration.ofMinutes(30);
    private static final int FAULTS = DecisionFault.values().length;
    /** Aborts three times, roll-backs twice. */
    private static final int ROUND = FAULTS + 3;

    private static final int PHASES = DecisionPhase.values().length;

    @Test
    void everyFaultOfAProcessStrikesAtEveryPhaseOnceBeforeAnyDoesTwice() {
        List<Object> seen = first(7, ROUND * PHASES).stream()
                .filter(strike -> strike.fault().family() != Family.OPERATORS)
                .<Object>map(strike -> List.of(strike.fault(), strike.phase()))
                .toList();

        assertThat(seen).doesNotHaveDuplicates().hasSize((FAULTS - 2) * PHASES);
    }

    @Test
    void oneSeedGivesOneScheduleAndAnotherSeedAnother() {
        assertThat(first(7, 50)).isEqualTo(first(7, 50)).isNotEqualTo(first(8, 50));
    }

    @Test
    void gathersAreHeldUpForLessThanRanksWaitAndPlannersForLongerThanTheirGroupDoes() {
        for (DecisionFaults.Strike strike : first(7, 200)) {
            assertThat(strike.late()).isLessThan(Duration.ofSeconds(5));
            assertThat(strike.frozen()).isGreaterThan(Duration.ofSeconds(6));
            assertThat(strike.clockMillis()).isBetween(-480_000L, 480_000L);
        }
    }

    @Test
    void runEndsWhenAllThatWasAskedForHasBeenOrItsTimeIsOver() {
        DecisionGoal goal = new DecisionGoal(Optional.of(LONG), Map.of("decisions", 10, "crashes", 2));

        assertThat(goal.reached(Duration.ofMinutes(1), Map.of("decisions", 10, "crashes", 1, "failovers", 9)))
                .isFalse();
        assertThat(goal.reached(Duration.ofMinutes(1), Map.of("decisions", 10, "crashes", 2)))
                .isTrue();
        assertThat(goal.reached(LONG, Map.of())).isTrue();
    }

    @Test
    void runWithoutAnEndIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new DecisionGoal(Optional.empty(), Map.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new DecisionGoal(Optional.empty(), Map.of("wishes", 3)))
                .withMessageContaining("wishes");
    }

    private static List<DecisionFaults.Strike> first(long seed, int count) {
        DecisionSchedule schedule = new DecisionSchedule(seed, LONG);
        return Stream.generate(schedule::next).limit(count).toList();
    }
}
