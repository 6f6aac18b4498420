package dev.plimsoll.planner.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every policy, on seeded random shapes and loads. */
class PoliciesTest {
    private static final List<String> NAMES = Policy.NAMES;

    /** Ranks that need not be in order of nodes, nor nodes equally large. */
    private static Topology scattered(Topology topology, Random random) {
        List<Integer> nodes = new ArrayList<>(topology.nodeOfRank());
        for (int rank = 0; rank < nodes.size(); rank++) {
            nodes.set(rank, nodes.get(random.nextInt(nodes.size())));
        }
        return new Topology(nodes, topology.slotsPerRank());
    }

    private static ExpertLoad window(long index, double[][] load, int samples, Random random) {
        long[][][] tokens = new long[load.length][samples][];
        for (int layer = 0; layer < load.length; layer++) {
            for (int sample = 0; sample < samples; sample++) {
                tokens[layer][sample] = new long[load[layer].length];
            }
            for (int expert = 0; expert < load[layer].length; expert++) {
                tokens[layer][random.nextInt(samples)][expert] = Math.round(load[layer][expert]);
            }
        }
        return ExpertLoad.ofSamples(index, tokens);
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void everyPlanIsValidKeepsSlotsAndIsTheSameTwice(String name) {
        for (long seed = 0; seed < 500; seed++) {
            PlacementPropertiesTest.Case given = PlacementPropertiesTest.random(seed);
            Random random = new Random(seed);
            ModelShape shape = given.members().shape();
            Topology topology = random.nextInt(3) == 0
                    ? scattered(given.members().topology(), random)
                    : given.members().topology();
            Placement settled = Placement.initial(shape, topology);
            int samples = random.nextInt(4) == 0 ? 1 : 1 + random.nextInt(100);
            List<ExpertLoad> windows = new ArrayList<>();
            for (double[][] load : given.loads()) {
                windows.add(window(windows.size(), load, samples, random));
                PlanRequest request = new PlanRequest(
                        windows, settled, shape, topology, Budget.UNLIMITED, MovePrices.EQUAL, random.nextLong());

                Placement target = Policy.named(name).plan(request).target();

                assertThat(PlacementRules.violations(target, shape, topology))
                        .as("seed %d", seed)
                        .isEmpty();
                assertThat(target.version()).isEqualTo(settled.version());
                assertThat(Policy.named(name).plan(request).target())
                        .as("seed %d", seed)
                        .isEqualTo(target);
                PlacementPropertiesTest.assertSlotsKept(seed, settled, target, topology);
                settled = target.withVersion(settled.version() + 1);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void isReportedUnderTheNameItIsChosenBy(String name) {
        assertThat(Policy.named(name).name()).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek", "deepseek-hierarchical", "swift", "flashlb", "static"})
    void aLayerWithoutLoadStaysAsItIs(String name) {
        LayerExample example = new LayerExample(8, Topology.even(4, 2, 3));

        assertThat(example.plan(name, new long[8])).isEqualTo(example.initial());
    }
}
