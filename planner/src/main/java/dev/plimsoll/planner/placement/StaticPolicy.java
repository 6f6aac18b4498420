package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;

/** Never moves anything: the baseline. */
final class StaticPolicy implements Policy {
    @Override
    public String name() {
        return "static";
    }

    @Override
    public Placement plan(PlanRequest request) {
        return request.settled();
    }
}
