package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class MembershipTest {
    private static final ModelShape SHAPE = ModelShape.of("tiny", 6, 2, 0, 2);
    private static final Topology TOPOLOGY = Topology.even(4, 2, 2);
    private static final Membership MEMBERS = new Membership(
            new Deployment("d"), 1, SHAPE, TOPOLOGY, "test", Phase.DECODE, GatherMode.HOST, 4, 16, 100, 200);
    private static final int[] REVERSED = {5, 4, 3, 2, 1, 0, 5, 4};

    @Test
    void incarnationStartsWhereItSaysAndElseAsUsual() {
        Placement reversed = Placement.of(7, new int[][] {REVERSED, REVERSED});

        assertThat(MEMBERS.start()).isEqualTo(Placement.initial(SHAPE, TOPOLOGY));
        assertThat(MEMBERS.startingWith(reversed).start()).isEqualTo(reversed.withVersion(0));
        assertThat(MEMBERS.startingWith(reversed).startable().start().layer(1)).containsExactly(REVERSED);
    }

    @Test
    void placementOfAnotherShapeIsNoStart() {
        assertThatThrownBy(() -> MEMBERS.startingWith(Placement.of(0, new int[][] {REVERSED})))
                .hasMessageContaining("1 layers × 8 slots does not fit 2 layers × 8 slots");
    }

    @Test
    void expertTwiceOnARankIsWhatAnEngineMayStartWith() {
        Placement twice = Placement.of(0, new int[][] {{0, 0, 1, 2, 3, 4, 5, 5}, REVERSED});
        Placement unknown = Placement.of(0, new int[][] {{0, 1, 2, 3, 4, 5, 6, 9}, REVERSED});

        assertThat(PlacementRules.violations(twice, SHAPE, TOPOLOGY)).hasSize(2);
        assertThat(MEMBERS.startingWith(twice).startable().start()).isEqualTo(twice);
        assertThat(MEMBERS.startingWith(unknown).startable().start()).isEqualTo(unknown);
    }

    @Test
    void expertThatNobodyHoldsIsNoStart() {
        Placement lost = Placement.of(0, new int[][] {{0, 1, 2, 3, 0, 1, 2, 3}, REVERSED});

        assertThatThrownBy(() -> MEMBERS.startingWith(lost).startable())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("layer 0 holds expert 4 nowhere, layer 0 holds expert 5 nowhere")
                .hasMessageContaining("no rank could send its weights");
    }

    @Test
    void heldByAnIdleSlotIsNotLost() {
        BitSet idle = new BitSet();
        idle.set(2);
        Placement held = Placement.of(0, new int[][] {{0, 1, 2, 3, 4, 5, 0, 1}, REVERSED}, new BitSet[] {idle});

        assertThat(MEMBERS.withIdleSlots(true).startingWith(held).startable().start())
                .isEqualTo(held);
        assertThatThrownBy(() -> MEMBERS.startingWith(held).startable())
                .hasMessageContaining("leaves 1 slots idle, and the engine uses every slot");
    }

    @Test
    void markedSlotsComeBack() {
        BitSet idle = new BitSet();
        idle.set(0);
        Placement placement =
                Placement.of(3, new int[][] {REVERSED, {0, 1, 2, 3, 4, 5, 0, 1}}, new BitSet[] {new BitSet(), idle});

        assertThat(Placement.ofMarked(3, placement.marked())).isEqualTo(placement);
        assertThat(placement.marked()[1][0]).isEqualTo(-1);
    }
}
