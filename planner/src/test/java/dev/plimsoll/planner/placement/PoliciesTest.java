package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every policy, on {@linkplain RandomInstance random instances}. */
class PoliciesTest {
    private static final List<String> NAMES = Policy.NAMES;

    @ParameterizedTest
    @FieldSource("NAMES")
    void everyPlanIsValidKeepsSlotsAndIsTheSameTwice(String name) {
        Policy policy = Policy.named(name);
        for (long seed = 0; seed < 500; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            Placement settled = given.start();
            for (int window = 0; window < given.windows().size(); window++) {
                PlanRequest request = given.request(window, settled);
                Plan plan = policy.plan(request);

                assertThat(PlanFaults.ofAny(policy, request, plan))
                        .as("seed %d window %d", seed, window)
                        .isEmpty();
                settled = plan.target().withVersion(settled.version() + 1);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void isReportedUnderTheNameItIsChosenBy(String name) {
        assertThat(Policy.named(name).name()).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plimsoll", "deepseek", "deepseek-hierarchical", "swift", "flashlb", "static"})
    void aLayerWithoutLoadStaysAsItIs(String name) {
        LayerExample example = new LayerExample(8, Topology.even(4, 2, 3));

        assertThat(example.plan(name, new long[8])).isEqualTo(example.initial());
    }
}
