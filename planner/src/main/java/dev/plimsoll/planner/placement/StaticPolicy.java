package dev.plimsoll.planner.placement;

/** Never moves anything: the baseline. */
final class StaticPolicy implements Policy {
    @Override
    public String name() {
        return "static";
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        return LayerPlan.settled(request, layer);
    }
}
