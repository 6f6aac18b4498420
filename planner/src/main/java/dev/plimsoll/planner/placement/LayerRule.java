package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;

/** How a policy that plans layer by layer places the experts of one layer. */
interface LayerRule {
    /**
     * @param settled {@code [slot]}, valid
     * @return {@code [slot]}, valid, in any order within a rank
     */
    int[] place(int layer, int[] settled);

    /** The plan of a rule that is asked for every layer; who stays on a rank stays in its slot. */
    static Plan everyLayer(PlanRequest request, LayerRule rule) {
        int[][] experts = request.settled().toArray();
        for (int layer = 0; layer < experts.length; layer++) {
            experts[layer] = KeptSlots.arrange(
                    experts[layer],
                    rule.place(layer, experts[layer].clone()),
                    request.topology().slotsPerRank());
        }
        return Plan.of(Placement.of(request.settled().version(), experts));
    }
}
