package dev.plimsoll.replay.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import dev.plimsoll.model.Topology;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

/** Only a version that is whole and is what its hash says. */
class SettledLayersTest {
    private static final Membership MEMBERS = new Membership(
            new Deployment("d"),
            3,
            ModelShape.of("m", 3, 1, 1, 2),
            Topology.even(2, 1, 2),
            "e",
            Phase.ALL,
            GatherMode.HOST,
            16,
            32,
            1,
            1);
    private static final Placement ONE = Placement.of(1, new int[][] {{0, 1, 2, 0}, {0, 1, 2, 1}});
    private static final Placement TWO = Placement.of(2, new int[][] {{0, 1, 2, 1}, {2, 1, 0, 1}});
    private final SettledLayers layers = new SettledLayers(MEMBERS);

    private static SettledPlacement record(Placement placement, int layer, long hash, long incarnation) {
        return SettledPlacement.of(MEMBERS.deployment(), incarnation, placement, layer, hash);
    }

    private void add(Placement placement, int layer) {
        layers.add(record(placement, layer, placement.hash(), 3));
    }

    @Test
    void nothingIsNothing() {
        assertThat(layers.newest()).isEmpty();
        assertThat(layers.newestVersion()).isEmpty();
    }

    @Test
    void newestWholeVersionIsTaken() {
        add(ONE, 0);
        add(ONE, 1);
        add(TWO, 0);
        add(TWO, 1);
        assertThat(layers.newest()).contains(TWO);
    }

    @Test
    void idleSlotsAreKept() {
        Placement idle =
                Placement.of(3, TWO.toArray(), new BitSet[] {new BitSet(), BitSet.valueOf(new long[] {0b1000})});
        add(idle, 0);
        add(idle, 1);

        assertThat(layers.newest()).contains(idle);
        assertThat(layers.newest().orElseThrow().inUse(1)).containsExactly(2, 1, 0, -1);
    }

    @Test
    void versionThatIsNotWholeIsNotTaken() {
        add(ONE, 0);
        add(ONE, 1);
        add(TWO, 1);
        assertThat(layers.newest()).contains(ONE);
        assertThat(layers.newestVersion()).hasValue(2);
    }

    @Test
    void layersThatContradictTheirHashAreNotTaken() {
        layers.add(record(ONE, 0, ONE.hash(), 3));
        layers.add(record(ONE, 1, ONE.hash() + 1, 3));
        assertThat(layers.newest()).isEmpty();
        assertThat(layers.newestVersion()).hasValue(1);
    }

    @Test
    void layersOfAnotherIncarnationAreNotTaken() {
        add(ONE, 0);
        layers.add(record(ONE, 1, ONE.hash(), 2));
        assertThat(layers.newest()).isEmpty();
    }
}
