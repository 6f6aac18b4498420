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
    private static final int PHASES = DecisionPhase.values().length;
    private static final int ROUND = DecisionSchedule.round().size();

    @Test
    void everyFaultComesInEveryRoundAndStrikesAtEveryPhaseBeforeItDoesSoTwiceAtOne() {
        List<DecisionFaults.Strike> strikes = first(7, ROUND * PHASES);

        assertThat(strikes.subList(0, ROUND))
                .extracting(DecisionFaults.Strike::fault)
                .containsExactlyInAnyOrderElementsOf(DecisionSchedule.round())
                .contains(DecisionFault.values());
        for (DecisionFault fault : DecisionFault.values()) {
            List<DecisionPhase> phases = strikes.stream()
                    .filter(strike -> strike.fault() == fault)
                    .limit(PHASES)
                    .map(DecisionFaults.Strike::phase)
                    .toList();
            assertThat(phases).as("phases of %s", fault).doesNotHaveDuplicates().hasSize(PHASES);
        }
    }

    @Test
    void roundHasCrashesFailoversAndAbortsInTheProportionOfWhatIsToBeReached() {
        List<DecisionFault> round = DecisionSchedule.round();

        assertThat(round.stream().filter(DecisionFault.bringing(DecisionGoal.FAILOVERS)::contains))
                .hasSize(5);
        assertThat(round.stream().filter(DecisionFault.bringing(DecisionGoal.CRASHES)::contains))
                .hasSize(9); // ten processes, as one of them kills two
    }

    @Test
    void whatLagsIsBroughtOnByEveryThirdFaultAndByAllOnceThereAreDecisionsEnough() {
        DecisionSchedule lagging = new DecisionSchedule(7, LONG);
        DecisionSchedule late = new DecisionSchedule(7, LONG);
        List<DecisionFault> bringing = DecisionFault.bringing(DecisionGoal.FAILOVERS);

        for (int fault = 1; fault <= 30; fault++) {
            DecisionFault drawn = lagging.next(Optional.of(new DecisionGoal.Lag(DecisionGoal.FAILOVERS, false)))
                    .fault();
            if (fault % 3 == 0) {
                assertThat(drawn).as("fault %d", fault).isIn(bringing);
            }
            assertThat(late.next(Optional.of(new DecisionGoal.Lag(DecisionGoal.FAILOVERS, true)))
                            .fault())
                    .isIn(bringing);
        }
    }

    @Test
    void goalOfDecisionsAloneBringsItsShareOfAllElse() {
        assertThat(goal(Map.of("decisions", 1000)).counts())
                .isEqualTo(Map.of("decisions", 1000, "crashes", 100, "failovers", 50, "aborted", 100, "rollbacks", 20));
        assertThat(goal(Map.of("decisions", 1000, "crashes", 3)).counts())
                .isEqualTo(Map.of("decisions", 1000, "crashes", 3));
    }

    @Test
    void whatIsFurthestBehindTheDecisionsLags() {
        DecisionGoal goal = goal(Map.of("decisions", 1000));

        assertThat(goal.lag(Map.of("decisions", 500, "crashes", 60, "failovers", 20, "aborted", 45, "rollbacks", 11)))
                .contains(new DecisionGoal.Lag("failovers", false));
        assertThat(goal.lag(Map.of("decisions", 500, "crashes", 50, "failovers", 25, "aborted", 50, "rollbacks", 10)))
                .isEmpty();
        assertThat(goal.lag(Map.of("decisions", 1400, "crashes", 99, "failovers", 70, "aborted", 130, "rollbacks", 20)))
                .contains(new DecisionGoal.Lag("crashes", true));
        assertThat(new DecisionGoal(Optional.of(LONG), Map.of()).lag(Map.of())).isEmpty();
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

    private static DecisionGoal goal(Map<String, Integer> counts) {
        return new DecisionGoal(Optional.empty(), counts);
    }

    private static List<DecisionFaults.Strike> first(long seed, int count) {
        DecisionSchedule schedule = new DecisionSchedule(seed, LONG);
        return Stream.generate(schedule::next).limit(count).toList();
    }
}
