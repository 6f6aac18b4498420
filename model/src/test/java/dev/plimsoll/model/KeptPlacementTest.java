package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KeptPlacementTest {
    private static final Deployment DEPLOYMENT = new Deployment("r1/decode-0");
    private static final Placement BEFORE = Placement.ofMarked(4, new int[][] {{0, 1, ~0}, {1, 0, 1}});
    private static final Placement NOW = Placement.ofMarked(6, new int[][] {{0, 1, 0}, {1, 0, ~1}});
    private static final PlanRestart RESTART = new PlanRestart(LongVector.of(10, 20), 90, 4, 2, 30, 6);

    private final KeptPlacement kept = new KeptPlacement();

    private static SettledPlacement layer(long incarnation, Placement placement, int layer) {
        return SettledPlacement.of(DEPLOYMENT, incarnation, placement, layer, placement.hash());
    }

    private static SettledPlacement noted(int layer) {
        return layer(2, NOW, layer).restartingAt(RESTART.beside(NOW.marked()[layer], BEFORE.marked()[layer]));
    }

    @Test
    void whatWasSettledWhereReadingBeginsIsKnownFromWhatIsSettledNow() {
        kept.add(noted(0));
        assertThat(kept.restart()).as("a layer is missing").isEmpty();
        kept.add(noted(1));

        assertThat(kept.restart()).hasValue(RESTART);
        assertThat(kept.before()).hasValue(BEFORE);
        assertThat(kept.at(6)).hasValue(NOW);
        assertThat(kept.at(4)).isEmpty();
    }

    @Test
    void layersThatAnIncarnationOfMoreHasLeftDoNotCount() {
        Placement large = Placement.of(3, new int[][] {{0, 1, 0}, {0, 1, 0}, {0, 1, 0}});
        for (int layer = 0; layer < 3; layer++) {
            kept.add(layer(1, large, layer));
        }
        kept.add(noted(0));
        kept.add(noted(1));
        kept.add(layer(1, large, 2));

        assertThat(kept.restart()).hasValue(RESTART);
        assertThat(kept.incarnation()).hasValue(2);
        assertThat(kept.layers()).hasSize(2);
    }

    @Test
    void layersThatDoNotSayTheSameSayNothing() {
        kept.add(noted(0));
        kept.add(layer(2, NOW, 1));
        assertThat(kept.restart()).isEmpty();

        kept.add(noted(1));
        kept.add(layer(2, NOW.withVersion(9), 0));
        assertThat(kept.restart()).isEmpty();
        assertThat(kept.incarnation()).isEmpty();
    }
}
