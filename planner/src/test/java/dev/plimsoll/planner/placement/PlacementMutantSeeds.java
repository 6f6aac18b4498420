package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;
import org.junit.jupiter.api.Test;

/** The first instances of {@link PlacementPropertiesTest}, which show what most do; a wrong variant has to get past them. */
final class PlacementMutantSeeds {
    private static final int SEEDS = 300;

    @Test
    void haveFaultlessPlans() {
        for (long seed = 0; seed < SEEDS; seed++) {
            RandomInstance given = RandomInstance.of(seed);
            Placement settled = given.start();
            for (int window = 0; window < given.windows().size(); window++) {
                settled = PlacementPropertiesTest.faultless(seed, window, given.request(window, settled))
                        .target()
                        .withVersion(settled.version() + 1);
            }
        }
    }
}
