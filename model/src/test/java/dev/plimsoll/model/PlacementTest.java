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
    void anIdleSlotHoldsItsExpertAndNobodyIsSentThere() {
        Placement placement = switched(6, false);

        assertThat(placement.layer(1)).containsExactly(0, 1, 2, 3, 4, 5, 0, 1);
        assertThat(placement.inUse(1)).containsExactly(0, 1, 2, 3, 4, 5, -1, 1);
        assertThat(placement.slotsOfExperts(1, 6)[0]).containsExactly(0);
        assertThat(placement.localSlotsOfExperts(1, TOPOLOGY, 6)[3]).containsExactly(0, 1, -1, -1, -1, -1);
        assertThat(placement.idleSlots()).isEqualTo(1);
    }

    @Test
    void idleSlotsAreInTheHashAndTheirEndGivesTheOldOneBack() {
        Placement idle = switched(6, false);

        assertThat(idle.hash())
                .as("known value: it must never change, for it stands in logs")
                .isEqualTo(HASH_OF_IDLE)
                .isNotEqualTo(switched(7, false).hash())
                .isNotEqualTo(Placement.initial(SHAPE, TOPOLOGY).hash());
        assertThat(idle.with(0, new Batch(1, List.of(), List.of(toSwitch(6, true)))))
                .isEqualTo(Placement.initial(SHAPE, TOPOLOGY));
    }

    @Test
    void aMovedSlotComesIntoUseUnlessItsBatchSwitchesItOff() {
        Move move = new Move(new LayerId(1), new SlotId(6), new ExpertId(3), new SlotId(3));

        assertThat(switched(6, false).with(1, List.of(move)).idle(1, 6)).isFalse();
        assertThat(switched(6, false)
                        .with(1, new Batch(1, List.of(move), List.of(toSwitch(6, false))))
                        .idle(1, 6))
                .isTrue();
    }

    private static Placement switched(int slot, boolean inUse) {
        return Placement.initial(SHAPE, TOPOLOGY).with(0, new Batch(1, List.of(), List.of(toSwitch(slot, inUse))));
    }

    private static Switch toSwitch(int slot, boolean inUse) {
        return new Switch(new LayerId(1), new SlotId(slot), inUse);
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
    /** The same, and then layer 1 and slot 6. */
    private static final long HASH_OF_IDLE = 567052664587825653L;
}
