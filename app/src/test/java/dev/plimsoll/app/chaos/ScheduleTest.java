package dev.plimsoll.app.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static final Duration LONG = Duration.ofMinutes(30);
    private static final int KINDS = FaultKind.values().length;

    @Test
    void everyKindComesOnceBeforeAnyComesTwice() {
        Schedule<FaultKind> schedule = Schedule.ofWindows(7, LONG);

        assertThat(first(schedule, KINDS)).containsExactlyInAnyOrder(FaultKind.values());
        assertThat(first(schedule, KINDS)).containsExactlyInAnyOrder(FaultKind.values());
    }

    @Test
    void oneSeedGivesOneOrderAndAnotherSeedAnother() {
        List<FaultKind> order = first(Schedule.ofWindows(7, LONG), 3 * KINDS);

        assertThat(first(Schedule.ofWindows(7, LONG), 3 * KINDS)).isEqualTo(order);
        assertThat(first(Schedule.ofWindows(8, LONG), 3 * KINDS)).isNotEqualTo(order);
    }

    @Test
    void aKindWhoseProcessesAreBusyLetsOthersGoFirstAndComesWhenTheyAreFree() {
        Schedule<FaultKind> schedule = Schedule.ofWindows(7, LONG);
        for (int i = 0; i < 2 * KINDS; i++) {
            Optional<FaultKind> next = schedule.next(EnumSet.of(Family.BROKERS));
            assertThat(next)
                    .hasValueSatisfying(kind -> assertThat(kind.family()).isNotEqualTo(Family.BROKERS));
        }

        assertThat(first(schedule, 3))
                .containsExactlyInAnyOrder(
                        FaultKind.BROKER_KILLED, FaultKind.BROKERS_ROLLED, FaultKind.PARTITION_MOVED);
    }

    @Test
    void nothingComesWhileAllAreBusyAndNothingPilesUp() {
        Schedule<FaultKind> schedule = Schedule.ofWindows(7, LONG);
        for (int i = 0; i < 1_000; i++) {
            assertThat(schedule.next(EnumSet.allOf(Family.class))).isEmpty();
        }

        assertThat(first(schedule, KINDS)).containsExactlyInAnyOrder(FaultKind.values());
    }

    @Test
    void whoIsFrozenIsFrozenForLongerThanItsGroupWaits() {
        for (Duration whole : List.of(Duration.ofMinutes(1), LONG)) {
            Schedule<FaultKind> schedule = Schedule.ofWindows(7, whole);
            for (int i = 0; i < 100; i++) {
                assertThat(schedule.frozen()).isBetween(Duration.ofSeconds(7), Duration.ofSeconds(20));
                assertThat(schedule.pause()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(20));
            }
        }
    }

    private static List<FaultKind> first(Schedule<FaultKind> schedule, int count) {
        List<FaultKind> first = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            first.add(schedule.next(Set.of()).orElseThrow());
        }
        return first;
    }
}
