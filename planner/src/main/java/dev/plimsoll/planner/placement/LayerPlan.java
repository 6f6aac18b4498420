package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import java.util.BitSet;
import java.util.Optional;

/**
 * What a policy wants of one layer.
 *
 * @param expertOfSlot {@code [slot]}, of idle slots too; not to be written to
 * @param idle slots that hold their expert and get no tokens; not to be written to
 * @param reason empty where the policy does not say
 */
public record LayerPlan(int[] expertOfSlot, BitSet idle, Optional<LayerReason> reason) {
    /** A plan in which every slot is in use. */
    public LayerPlan(int[] expertOfSlot, Optional<LayerReason> reason) {
        this(expertOfSlot, new BitSet(), reason);
    }

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
        return new LayerPlan(request.settled().layer(layer), request.settled().idle(layer), Optional.empty());
    }
}
