package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.List;
import org.junit.jupiter.api.Test;

class RandomPolicyTest {
    @Test
    void randomDependsOnSeedAndLayerOnly() {
        LayerExample example = new LayerExample(16, Topology.even(4, 2, 5));
        ModelShape shape = example.shape(2);
        Placement initial = Placement.initial(shape, example.topology());
        List<ExpertLoad> idle = List.of(ExpertLoad.none(0, 2, 1, 16));
        List<ExpertLoad> busy = List.of(ExpertLoad.of(
                0, new long[][] {new long[16], {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0}}));

        Placement first = random(idle, initial, example, 1);

        assertThat(example.rows(first.layer(0))).isNotEqualTo(example.rows(first.layer(1)));
        assertThat(random(idle, initial, example, 2)).isNotEqualTo(first);
        assertThat(random(busy, initial, example, 1)).isEqualTo(first);
        assertThat(random(idle, first, example, 1)).isEqualTo(first);
    }

    private static Placement random(List<ExpertLoad> windows, Placement settled, LayerExample example, long seed) {
        return Policy.named("random")
                .plan(new PlanRequest(
                        windows,
                        settled,
                        example.shape(2),
                        example.topology(),
                        Budget.UNLIMITED,
                        MovePrices.EQUAL,
                        seed))
                .target();
    }
}
