package dev.plimsoll.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.plimsoll.model.DevicePreset;
import dev.plimsoll.model.DeviceProfile;
import dev.plimsoll.model.ExpertSize;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.ExpertTime;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.ServedSteps;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExpertTimeOnTraceTest {
    /** One that mostly reads, one that mostly computes. */
    private static final List<DeviceProfile> PROFILES = List.of(
            DevicePreset.named("ascend-910b")
                    .roofline(ExpertSize.named("gpt-oss-20b").orElseThrow()),
            DevicePreset.named("h20").roofline(ExpertSize.named("gpt-oss-20b").orElseThrow()));

    @Test
    void expertTimeOfStepsOfRealRoutingIsForetoldWithinThreePercent() {
        assumeTrue(SharedLoads.root().isPresent(), "no trace beside the repository: not checked on real routing");
        Path root = SharedLoads.root().orElseThrow();
        for (Topology topology : List.of(Topology.even(8, 1, 5), Topology.even(16, 2, 3))) {
            ModelShape shape = ModelShape.of("gpt-oss-20b", 32, 4, 0, 24);
            Placement initial = Placement.initial(shape, topology);
            for (int tokens : new int[] {32, 128, 512, 2048}) {
                int steps = 16_384 / tokens + 8;
                Placement planned = Policy.named("plimsoll")
                        .plan(PlanRequest.of(
                                List.of(ExpertLoad.of(
                                                0, ServedSteps.load(SharedLoads.steps(root, tokens, steps, 1), 32))
                                        .over(steps)),
                                initial,
                                shape,
                                topology))
                        .target();
                int[][][][] served = SharedLoads.steps(root, tokens, steps, 2);
                ExpertLoad load = ExpertLoad.of(1, ServedSteps.load(served, 32)).over(steps);
                for (DeviceProfile profile : PROFILES) {
                    ExpectedTime expected = new ExpectedTime(profile);
                    for (Placement placement : List.of(initial, planned)) {
                        double micros = ServedSteps.micros(served, placement, topology, profile);
                        double foretold = ExpertTime.stepMicros(placement, load.toDoubles(), steps, expected, topology);
                        assertThat(foretold / micros)
                                .as("%d ranks, %d tokens, %s", topology.ranks(), tokens, profile.name())
                                .isCloseTo(1, within(0.03));
                    }
                }
            }
        }
    }
}
