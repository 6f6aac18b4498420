package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.Placement;
import java.util.BitSet;
import java.util.List;

/**
 * What a policy wants.
 *
 * @param target with the settled version still
 * @param layers {@code [layer]}, why; empty where a policy does not say
 */
public record Plan(Placement target, List<LayerReason> layers) {
    public Plan {
        layers = List.copyOf(layers);
        if (!layers.isEmpty() && layers.size() != target.layers()) {
            throw new IllegalArgumentException("reasons for " + layers.size() + " layers of " + target.layers());
        }
    }

    /** A plan without reasons. */
    public static Plan of(Placement target) {
        return new Plan(target, List.of());
    }

    /** The plans of all layers, in order, as one; with reasons where every layer has one. */
    public static Plan of(PlanRequest request, List<LayerPlan> layers) {
        int[][] experts = new int[layers.size()][];
        BitSet[] idle = new BitSet[experts.length];
        for (int layer = 0; layer < experts.length; layer++) {
            experts[layer] = layers.get(layer).expertOfSlot();
            idle[layer] = layers.get(layer).idle();
        }
        List<LayerReason> reasons =
                layers.stream().flatMap(plan -> plan.reason().stream()).toList();
        return new Plan(
                Placement.of(request.settled().version(), experts, idle),
                reasons.size() == layers.size() ? reasons : List.of());
    }
}
