package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import java.util.Optional;

/**
 * What a policy wants of one layer.
 *
 * @param expertOfSlot {@code [slot]}; not to be written to
 * @param reason empty where the policy does not say
 */
public record LayerPlan(int[] expertOfSlot, Optional<LayerReason> reason) {

    /**
     * A plan without a reason, in which who stays on a rank stays in its slot.
     *
     * @param placed {@code [slot]}, valid, in any order within a rank
     */
    static LayerPlan of(PlanRequest request, int layer, int[] placed) {
        int[] settled = request.settled().layer(layer);
        return new LayerPlan(
                KeptSlots.arrange(settled, placed, request.topology().slotsPerRank()), Optional.empty());
    }

    /** The layer stays as it is. */
    static LayerPlan settled(PlanRequest request, int layer) {
        return new LayerPlan(request.settled().layer(layer), Optional.empty());
    }
}
