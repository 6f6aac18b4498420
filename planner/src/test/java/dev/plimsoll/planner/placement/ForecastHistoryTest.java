package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.PlannerSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What the planner keeps of the windows that the forecast looks back on. */
class ForecastHistoryTest {
    private static final ModelShape SHAPE = ModelShape.of("small", 16, 2, 0, 3);
    private static final Topology TOPOLOGY = Topology.even(4, 2, 5);

    private static List<ExpertLoad> windows(Random random, int count) {
        List<ExpertLoad> windows = new ArrayList<>();
        for (int window = 0; window < count; window++) {
            long[][][] samples = new long[SHAPE.layers()][8][SHAPE.experts()];
            for (long[][] layer : samples) {
                for (long[] sample : layer) {
                    for (int expert = 0; expert < sample.length; expert++) {
                        sample[expert] = random.nextInt(1 + 100 * (expert % 5));
                    }
                }
            }
            windows.add(ExpertLoad.ofSamples(window, samples));
        }
        return windows;
    }

    @Test
    void plannerKeepsOneWindowMoreThanTheForecastLooksBackOn() {
        // So the plan without the newest window sees as many as the plan of the window before.
        assertThat(PlannerSettings.DEFAULTS.historyWindows()).isEqualTo(LoadForecast.WINDOWS + 1);
    }

    @Test
    void subSamplesOfOlderWindowsMakeNoDifferenceToAPlan() {
        Policy policy = Policy.named("plimsoll");
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            List<ExpertLoad> windows = windows(random, 1 + random.nextInt(2 * LoadForecast.WINDOWS));
            List<ExpertLoad> kept = new ArrayList<>();
            windows.subList(0, windows.size() - 1).forEach(window -> kept.add(window.withoutSamples()));
            kept.add(windows.get(windows.size() - 1));
            Placement settled = Placement.initial(SHAPE, TOPOLOGY).withVersion((int) seed % 2);

            Plan all = policy.plan(PlanRequest.of(windows, settled, SHAPE, TOPOLOGY));
            Plan some = policy.plan(PlanRequest.of(kept, settled, SHAPE, TOPOLOGY));

            assertThat(some.target()).isEqualTo(all.target());
            assertThat(some.layers()).isEqualTo(all.layers());
        }
    }

    @Test
    void windowWithoutSamplesIsItsOwnOnlySample() {
        ExpertLoad window = windows(new Random(1), 1).get(0);
        ExpertLoad without = window.withoutSamples();

        assertThat(without.windowIndex()).isEqualTo(window.windowIndex());
        assertThat(without.samples()).isEqualTo(1);
        assertThat(without.toDoubles()).isDeepEqualTo(window.toDoubles());
        assertThat(without.at(1, 0, 7)).isEqualTo(window.at(1, 7));
    }
}
