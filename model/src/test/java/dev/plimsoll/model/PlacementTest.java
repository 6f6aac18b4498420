package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private static final ModelShape SHAPE = ModelShape.of("tiny", 6, 2, 1, 2);
    private static final Topology TOPOLOGY = Topology.even(4, 2, 2);

    @Test
    void initialPlacementFillsRedundantSlotsFromTheFirstExpertAgain() {
        assertThat(Placement.initial(SHAPE, TOPOLOGY).layer(1)).containsExactly(0, 1, 2, 3, 4, 5, 0, 1);
    }

    @Test
    void initialPlacementsAreValidForAnyShapeThatFits() {
        for (int experts = 1; experts <= 12; experts++) {
            for (int ranks = 1; ranks <= 6; ranks++) {
                for (int slotsPerRank = 1; slotsPerRank <= experts; slotsPerRank++) {
                    if (ranks * slotsPerRank < experts) {
                        continue;
                    }
                    ModelShape shape = ModelShape.of("m", experts, 1, 0, 1);
                    Topology topology = Topology.even(ranks, 1, slotsPerRank);
                    assertThat(PlacementRules.violations(Placement.initial(shape, topology), shape, topology))
                            .as("%d experts on %d ranks × %d slots", experts, ranks, slotsPerRank)
                            .isEmpty();
                }
            }
        }
    }

    @Test
    void movesMakeAnotherValueAndLeaveThisOneAlone() {
        Placement before = Placement.initial(SHAPE, TOPOLOGY);

        Placement after =
                before.with(1, List.of(new Move(new LayerId(1), new SlotId(6), new ExpertId(3), new SlotId(3))));

        assertThat(after.layer(1)).containsExactly(0, 1, 2, 3, 4, 5, 3, 1);
        assertThat(after.layer(0)).isEqualTo(before.layer(0));
        assertThat(before.layer(1)[6]).isZero();
        assertThat(after.version()).isEqualTo(1);
    }

    @Test
    void theMapsOfOtherSystemsAreViewsOfTheSamePlacement() {
        Placement placement = Placement.initial(SHAPE, TOPOLOGY);

        assertThat(placement.slotsOfExperts(0, 6)[0]).containsExactly(0, 6);
        assertThat(placement.slotsOfExperts(0, 6)[5]).containsExactly(5);
        assertThat(placement.localSlotsOfExperts(0, TOPOLOGY, 6)[3]).containsExactly(0, 1, -1, -1, -1, -1);
        assertThat(placement.toArray()[1]).containsExactly(0, 1, 2, 3, 4, 5, 0, 1);
    }

    @Test
    void theHashIsThatOfTheContentAndTheVersion() {
        Placement placement = Placement.initial(SHAPE, TOPOLOGY);

        assertThat(placement.hash())
                .as("known value: it must never change, for it stands in logs")
                .isEqualTo(HASH_OF_INITIAL)
                .isEqualTo(Placement.of(0, placement.toArray()).hash())
                .isNotEqualTo(placement.withVersion(1).hash())
                .isNotEqualTo(placement
                        .with(0, List.of(new Move(new LayerId(0), new SlotId(6), new ExpertId(3), new SlotId(3))))
                        .hash());
    }

    @Test
    void shapesThatAreNoShapesAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Placement.of(0, new int[0][]));
        assertThatIllegalArgumentException().isThrownBy(() -> Placement.of(0, new int[][] {{1, 2}, {1}}));
        assertThatIllegalArgumentException().isThrownBy(() -> Placement.of(-1, new int[][] {{1}}));
        assertThatIllegalArgumentException().isThrownBy(() -> Placement.of(0, new int[][] {{-1}}));
    }

    /** SHA-256 of the big-endian ints 0, 2, 8 and the sixteen experts, computed outside of Java. */
    private static final long HASH_OF_INITIAL = -3931613783671870359L;
}
