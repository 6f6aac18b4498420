package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Conservation.Violation;
import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What two nodes, a rank each, tell of what their routers sent and their slots computed. */
class RoutedTest {
    private static final int LAYERS = 2;
    private static final Membership MEMBERS = Samples.members(Samples.ONE, 1, 2, LAYERS, 2, 1);

    private final Routed routed = new Routed(2, LAYERS, 2, new Spares(1, 2 * LAYERS));

    private static final long WINDOW = 32;

    @Test
    void whatRanksSendToEachOtherIsComparedOverAllOfThem() {
        add(ofRank(0, 0, LAYERS, 10, 4));
        assertThat(conservation()).as("half of it says nothing").isEqualTo(Conservation.UNKNOWN);

        add(ofRank(1, 0, LAYERS, 2, 8));

        assertThat(conservation()).as("12 sent, 12 computed").isEqualTo(Conservation.YES);
        assertThat(routed.assignments()).isEqualTo(24);
    }

    @Test
    void nodesThatCutLayersDifferentlyAreComparedLayerByLayer() {
        add(ofRank(0, 0, LAYERS, 10, 4));
        add(ofRank(1, 0, 1, 2, 8));
        add(ofRank(1, 1, 1, 3, 8));

        assertThat(conservation()).isEqualTo(violated(1, 12, 13));
    }

    @Test
    void rankWhoseRoutersAreNotKnownLeavesItUnknown() {
        add(ofRank(0, 0, LAYERS, 10, 4));
        add(Samples.ofRank(MEMBERS, 1, 0, 16, 4));

        assertThat(conservation()).isEqualTo(Conservation.UNKNOWN);
    }

    @Test
    void layerOfWhichNothingCameLeavesItUnknown() {
        add(ofRank(0, 0, 1, 10, 4));
        add(ofRank(1, 0, 1, 2, 8));

        assertThat(conservation()).isEqualTo(Conservation.UNKNOWN);
    }

    /** In gather mode none each rank misses snapshots of its own: the trial's windows were never compared at all. */
    @Test
    void ranksThatMissedDifferentSnapshotsAreComparedOverTheWindow() {
        add(inSteps(0, 0, 16, 10, 4));
        add(inSteps(0, 16, 32, 10, 4));
        add(inSteps(1, 0, 32, 4, 16));
        assertThat(conservation()).as("24 sent, 24 computed").isEqualTo(Conservation.YES);

        Routed other = new Routed(2, LAYERS, 2, new Spares(1, 2 * LAYERS));
        for (LoadSample sample :
                List.of(inSteps(0, 0, 16, 10, 4), inSteps(0, 16, 32, 10, 4), inSteps(1, 0, 32, 4, 14))) {
            other.add(sample, sample.firstRank());
        }
        assertThat(other.conservation(WINDOW).violations())
                .containsExactly(new Violation(0, 22, 24), new Violation(1, 22, 24));
    }

    @Test
    void blocksThatMakeUpForEachOtherAreViolationsAllTheSame() {
        add(inSteps(0, 0, 16, 10, 6));
        add(inSteps(1, 0, 16, 2, 8));
        add(inSteps(0, 16, 32, 10, 4));
        add(inSteps(1, 16, 32, 2, 6));

        assertThat(conservation().violations()).containsExactly(new Violation(0, 24, 24), new Violation(1, 24, 24));
    }

    @Test
    void whatWasSentToAllIsComparedAsWhatWasComputed() {
        add(sentBy(0, 10, 10));
        assertThat(conservation()).isEqualTo(Conservation.UNKNOWN);
        add(sentBy(1, 2, 3));
        assertThat(conservation().violations()).containsExactly(new Violation(0, 13, 12), new Violation(1, 13, 12));

        routed.subtract(sentBy(1, 2, 3), 1);
        add(sentBy(1, 2, 2));
        assertThat(conservation()).isEqualTo(Conservation.YES);
    }

    private Conservation conservation() {
        return routed.conservation(WINDOW);
    }

    private static Conservation violated(int layer, long computed, long sent) {
        return Conservation.violated(List.of(new Violation(layer, computed, sent)));
    }

    private static LoadSample inSteps(int rank, long from, long to, long sent, long computed) {
        long[] load = new long[LAYERS * 2];
        Arrays.fill(load, computed / 2);
        return Samples.block(
                MEMBERS, from, to, rank, 1, 0, LAYERS, false, LongVector.of(sent, sent), Counters.of(load));
    }

    /** @param counted to all slots together */
    private static LoadSample sentBy(int rank, long sent, long counted) {
        long[] load = new long[LAYERS * 4];
        load[rank] = counted;
        load[4 + rank] = counted;
        return Samples.sentBy(MEMBERS, rank, 0, 16, LongVector.of(sent, sent), load);
    }

    /** @param sent by its routers per layer; {@code computed} by its two slots together, even */
    private static LoadSample ofRank(int rank, int firstLayer, int layers, long sent, long computed) {
        long[] routed = new long[layers];
        long[] load = new long[layers * 2];
        Arrays.fill(routed, sent);
        Arrays.fill(load, computed / 2);
        return Samples.block(
                MEMBERS, 0, 16, rank, 1, firstLayer, layers, false, LongVector.of(routed), Counters.of(load));
    }

    private void add(LoadSample sample) {
        routed.add(sample, sample.firstRank());
    }
}
