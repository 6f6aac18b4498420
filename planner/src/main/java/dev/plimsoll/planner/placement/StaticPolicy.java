package dev.plimsoll.planner.placement;

/** Never moves anything: the baseline. */
final class StaticPolicy implements Policy {
    @Override
    public String name() {
        return "static";
    }

    @Override
    public Plan plan(PlanRequest request) {
        return Plan.of(request.settled());
    }
}
