package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RotationPolicyTest {
    private static final LayerExample EXAMPLE = new LayerExample(16, Topology.even(8, 2, 3));
    private static final List<ExpertLoad> IDLE = List.of(ExpertLoad.none(0, 2, 1, 16));

    @Test
    void everyDecisionMovesWeightsAndLeavesAValidPlacementHoweverManyThereAre() {
        Placement settled = Placement.initial(EXAMPLE.shape(2), EXAMPLE.topology());
        for (int version = 1; version <= 200; version++) {
            Placement next = rotated(settled, 7);

            assertThat(Arrays.deepEquals(next.toArray(), settled.toArray()))
                    .as("decision %d", version)
                    .isFalse();
            assertThat(PlacementRules.violations(next, EXAMPLE.shape(2), EXAMPLE.topology()))
                    .isEmpty();
            settled = Placement.of(version, next.toArray());
        }
    }

    @Test
    void sameSeedAndPlacementGiveTheSamePlanAndAnotherSeedAnother() {
        Placement settled = Placement.initial(EXAMPLE.shape(2), EXAMPLE.topology());

        assertThat(rotated(settled, 7)).isEqualTo(rotated(settled, 7)).isNotEqualTo(rotated(settled, 8));
    }

    @Test
    void itIsCarriedOutWhateverItBringsAndNoOtherPolicyIs() {
        assertThat(Policy.named("rotation").asksTheGate()).isFalse();
        assertThat(Policy.NAMES).allMatch(name -> Policy.named(name).asksTheGate());
    }

    private static Placement rotated(Placement settled, long seed) {
        return Policy.named("rotation")
                .plan(new PlanRequest(
                        IDLE, settled, EXAMPLE.shape(2), EXAMPLE.topology(), Budget.UNLIMITED, MovePrices.EQUAL, seed))
                .target();
    }
}
