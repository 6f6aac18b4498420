package dev.plimsoll.replay.score.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.DeviceProfile.Point;
import dev.plimsoll.planner.ObjectiveChoice;
import dev.plimsoll.planner.placement.Objective;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContenderTest {
    private static final DeviceProfile PROFILE = new DeviceProfile("p", List.of(new Point(1, 4)), 0);
    private static final List<String> POLICIES = List.of("flashlb", "plimsoll", "static");

    private static List<String> names(ObjectiveChoice objective, boolean idleSlots) {
        return Contender.of(POLICIES, objective, idleSlots, PROFILE).stream()
                .map(line -> line.name() + " " + line.objective().name() + (line.idleSlots() ? " idle" : "")
                        + (line.ours() ? " ours" : ""))
                .toList();
    }

    @Test
    void oursIsInTheTableByTimeAndByTokensAndOthersByTokensOnly() {
        assertThat(names(ObjectiveChoice.AUTO, false))
                .containsExactly(
                        "flashlb tokens", "plimsoll time ours", "plimsoll-tokens tokens ours", "static tokens");
    }

    @Test
    void withIdleSlotsOursByTimeHasAFurtherLine() {
        assertThat(names(ObjectiveChoice.AUTO, true))
                .containsExactly(
                        "flashlb tokens",
                        "plimsoll time ours",
                        "plimsoll-idle time idle ours",
                        "plimsoll-tokens tokens ours",
                        "static tokens");
        assertThat(names(ObjectiveChoice.TIME, true))
                .containsExactly(
                        "flashlb tokens", "plimsoll time ours", "plimsoll-idle time idle ours", "static tokens");
    }

    @Test
    void askedForOneObjectiveOursKeepsItsName() {
        assertThat(names(ObjectiveChoice.TIME, false))
                .containsExactly("flashlb tokens", "plimsoll time ours", "static tokens");
        assertThat(names(ObjectiveChoice.TOKENS, false))
                .containsExactly("flashlb tokens", "plimsoll tokens ours", "static tokens");
    }

    @Test
    void timeIsThatOfTheProfile() {
        Objective.Time time = (Objective.Time) Contender.of(POLICIES, ObjectiveChoice.TIME, false, PROFILE)
                .get(1)
                .objective();
        assertThat(time.expected().profile()).isEqualTo(PROFILE);
    }
}
