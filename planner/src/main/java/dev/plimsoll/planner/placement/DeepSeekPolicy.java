package dev.plimsoll.planner.placement;

/**
 * DeepSeek's rule over all ranks alike: replication by load ÷ replicas, then balanced packing; planned from the newest window.
 *
 * <p>Source: the load balancer that DeepSeek published in February 2025 (EPLB, "global load balancing"); vLLM, SGLang and
 * TensorRT-LLM plan by the same rule. It ignores where experts are, so most of them move at every plan. Mended here: replicas
 * of an expert never share a rank (none has more replicas than ranks, and each goes to a rank that does not hold it yet), and a layer
 * without load stays as it is.
 */
final class DeepSeekPolicy implements Policy {
    @Override
    public String name() {
        return "deepseek";
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        double[] load = request.newest().layer(layer);
        if (EvenSplit.max(load) == 0) {
            return LayerPlan.settled(request, layer);
        }
        return LayerPlan.of(
                request,
                layer,
                place(load, request.topology().ranks(), request.topology().slotsPerRank()));
    }

    /** {@code [slot]} for the load of every expert. */
    static int[] place(double[] load, int ranks, int slotsPerRank) {
        int[] replicas = Replication.byLoad(load, ranks * slotsPerRank, ranks);
        return Packing.byLoad(load, replicas, ranks, slotsPerRank).expertOfSlot();
    }
}
