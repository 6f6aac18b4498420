package dev.plimsoll.planner.placement;

/**
 * Few transfers per plan: experts keep one slot for good, redundant slots are filled anew, and hot ranks exchange experts with
 * cold ones, at most one transfer from any rank to any other but for redundant slots that this leaves empty; planned from the newest
 * window. See {@link SwiftLayer}.
 *
 * <p>Source: the published idea of SwiftBalancer, the default of vllm-ascend (2025). Mended here: an expert's load per replica with one
 * replica more is w·c ÷ (c + 1), where its code has w·(c + 1) ÷ (c + 2); every layer is judged by its own mean, where its code
 * takes layer 0's; all orders are by load and id, where its code iterates over sets; a replica that stays on its rank takes up no
 * transfer. Kept: the limit per pair of ranks and the pinned first replicas, which are the idea, so it takes several plans to arrive and
 * does little where redundant slots lie together on few ranks.
 */
final class SwiftPolicy implements Policy {
    @Override
    public String name() {
        return "swift";
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        SwiftLayer rule = new SwiftLayer(
                request.settled().layer(layer),
                request.newest().layer(layer),
                request.topology().ranks());
        return LayerPlan.of(request, layer, rule.place());
    }
}
