package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Topology;
import java.util.List;
import org.junit.jupiter.api.Test;

class MoveCostsTest {
    /** Ranks 0 and 2 on one node, 1 and 3 on another; node numbers with a gap. */
    private static final MoveCosts COSTS = new MoveCosts(
            new int[] {0, 1, 2, 3, 4, 0, 5, 3}, 6, new Topology(List.of(0, 7, 0, 7), 2), new MovePrices(1, 3));

    @Test
    void whatIsSettledCostsNothing() {
        assertThat(COSTS.of(0, 0)).isZero();
        assertThat(COSTS.of(2, 0)).isZero();
        assertThat(COSTS.of(3, 5)).isZero();
        assertThat(COSTS.settled(2, 4)).isTrue();
        assertThat(COSTS.settled(0, 4)).isFalse();
    }

    @Test
    void expertOnTheSameNodeCostsThePriceOfTheNode() {
        assertThat(COSTS.of(0, 4)).isEqualTo(1);
        assertThat(COSTS.of(2, 1)).isEqualTo(1);
        assertThat(COSTS.of(1, 5)).isEqualTo(1);
    }

    @Test
    void expertOnOtherNodesOnlyCostsMore() {
        assertThat(COSTS.of(0, 5)).isEqualTo(3);
        assertThat(COSTS.of(1, 0)).isEqualTo(3);
        assertThat(COSTS.of(3, 1)).isEqualTo(3);
    }

    @Test
    void settledExpertsAreKnownBySlot() {
        assertThat(COSTS.settledExpert(6)).isEqualTo(5);
    }
}
