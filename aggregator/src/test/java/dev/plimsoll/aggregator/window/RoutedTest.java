package dev.plimsoll.aggregator.window;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What two nodes, a rank each, tell of what their routers sent and their slots computed. */
class RoutedTest {
    private static final int LAYERS = 2;
    private static final Membership MEMBERS = Samples.members(Samples.ONE, 1, 2, LAYERS, 2, 1);

    private final Routed routed = new Routed(2, LAYERS, 2, new Spares(1, 2 * LAYERS));

    @Test
    void whatRanksSendToEachOtherIsComparedOverAllOfThem() {
        add(ofRank(0, 0, LAYERS, 10, 4));
        assertThat(routed.violations().isEmpty()).as("half of it says nothing").isTrue();

        add(ofRank(1, 0, LAYERS, 2, 8));

        assertThat(routed.violations().isEmpty()).as("12 sent, 12 computed").isTrue();
        assertThat(routed.assignments()).isEqualTo(24);
    }

    @Test
    void nodesThatCutLayersDifferentlyAreComparedLayerByLayer() {
        add(ofRank(0, 0, LAYERS, 10, 4));
        add(ofRank(1, 0, 1, 2, 8));
        add(ofRank(1, 1, 1, 3, 8));

        assertThat(routed.violations().stream()).containsExactly(1);
    }

    @Test
    void rankWhoseRoutersAreNotKnownLeavesItUnchecked() {
        add(ofRank(0, 0, LAYERS, 10, 4));
        add(Samples.ofRank(MEMBERS, 1, 0, 16, 4));

        assertThat(routed.violations().isEmpty()).isTrue();
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
