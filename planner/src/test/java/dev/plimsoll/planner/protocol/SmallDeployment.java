package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;

/** Three ranks of two slots, five experts, two layers. */
final class SmallDeployment {
    private SmallDeployment() {}

    static Membership members(long incarnation) {
        return new Membership(
                        new Deployment("schedules"),
                        incarnation,
                        ModelShape.of("small", 5, 1, 0, 2),
                        Topology.even(3, 1, 2),
                        "test",
                        Phase.ALL,
                        GatherMode.HOST,
                        1,
                        2,
                        1,
                        1)
                .withTraits(EngineTraits.USUAL.withIdleSlots(true).withDeadlines(new Deadlines(3, 3)));
    }
}
