package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScenarioPackingTest {

    @Test
    void packingIsValidForAnyScenarios() {
        int packings = 0;
        for (long seed = 0; seed < 5000; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            LoadForecast forecast = LoadForecast.of(given.windows(), 0);
            if (!forecast.known()) {
                continue;
            }
            Topology topology = given.topology();
            Scenarios scenarios = forecast.scenarios(topology.ranks());
            MoveCosts costs = new MoveCosts(given.start().layer(0), scenarios.experts(), topology, given.prices());

            int[] packed = ScenarioPacking.pack(scenarios, costs, topology.slots(), seed % 2 == 0 ? 0 : 0.01);

            ModelShape shape = ModelShape.of("packed", scenarios.experts(), 1, 0, 1);
            assertThat(PlacementRules.violations(Placement.of(0, new int[][] {packed}), shape, topology))
                    .as("seed %d", seed)
                    .isEmpty();
            packings++;
        }
        assertThat(packings).isGreaterThan(2000);
    }

    @Test
    void expertsThatRiseTogetherArePackedApart() {
        double[] share = {0.25, 0.25, 0.25, 0.25};
        // Expert 0 rises with 1, and 2 with 3; as means say nothing of that, only apart from each other are they even.
        double[][] together = {{0.05, 0.05, -0.05, -0.05}};
        Scenarios scenarios = Scenarios.of(share, together, 2, 0);
        MoveCosts costs = new MoveCosts(new int[] {0, 1, 2, 3}, 4, Topology.even(2, 1, 2), MovePrices.EQUAL);

        int[] packed = ScenarioPacking.pack(scenarios, costs, 4, 0);

        assertThat(new LayerState(scenarios, packed).balancedness()).isEqualTo(1);
        assertThat(new LayerState(scenarios, new int[] {0, 1, 2, 3}).balancedness())
                .isLessThan(0.9);
    }

    @Test
    void expertsStayWhereTheyAreSettledWhenAllElseIsEqual() {
        int[] settled = {0, 2, 1, 3};
        Scenarios scenarios = LoadForecast.of(List.of(ExpertLoad.of(0, new long[][] {{5, 5, 5, 5}})), 0)
                .scenarios(2);
        MoveCosts costs = new MoveCosts(settled, 4, Topology.even(2, 1, 2), MovePrices.EQUAL);

        assertThat(ScenarioPacking.pack(scenarios, costs, 4, 0.01)).isEqualTo(settled);
    }
}
