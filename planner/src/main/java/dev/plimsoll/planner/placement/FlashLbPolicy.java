package dev.plimsoll.planner.placement;

import java.util.List;

/**
 * Plans for what ranks rise to together inside a window, and only where a layer has got worse: moments of the newest window's sub-samples,
 * a gate per layer, {@link FlashLbTree}, and the new rows on the ranks that hold most of them ({@link RankMatching}).
 *
 * <p>Source: the published idea of FlashLB in vllm-ascend (2025–2026). A layer is planned anew when the inverse of its
 * {@link FlashLbStages#peak} is below 0.85, or below 0.9 of what it was when its placement was committed (0.9 and 0.95 for
 * fewer than 32 ranks).
 *
 * <p>Other than there:
 * <ul>
 *   <li>What was at the commit is no state of ours: the best that the settled placement would have been on the windows before the
 *       newest one stands in for it, so what is older than the request's windows is forgotten. As nothing was committed where the
 *       settled placement is version 0 or where there is but one window, all layers are planned then.
 *   <li>A layer is changed only when its peak falls; there all layers that were computed are applied, worse ones too.
 *   <li>An expert for which no rank with a free slot is left makes room ({@link Packing#makeRoom}); there it is written out of bounds.
 *   <li>A layer without load stays as it is.
 * </ul>
 */
final class FlashLbPolicy implements Policy {
    private static final int MANY_RANKS = 32;

    @Override
    public String name() {
        return "flashlb";
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        if (EvenSplit.max(request.newest().layer(layer)) == 0) {
            return LayerPlan.settled(request, layer);
        }
        int ranks = request.topology().ranks();
        int[] settled = request.settled().layer(layer);
        FlashLbStages stages = new FlashLbStages(request.newest(), layer);
        double peak = stages.peak(settled, ranks);
        if (!needsUpdate(request, layer, settled, peak)) {
            return LayerPlan.settled(request, layer);
        }
        int[] found = new FlashLbTree(stages, ranks, request.topology().slotsPerRank()).search();
        if (stages.peak(found, ranks) >= peak) {
            return LayerPlan.settled(request, layer);
        }
        RankMatching matching = new RankMatching(ranks, request.shape().experts());
        return LayerPlan.of(request, layer, matching.rearrange(settled, found));
    }

    private static boolean needsUpdate(PlanRequest request, int layer, int[] settled, double peak) {
        List<ExpertLoad> before = request.windows().subList(0, request.windows().size() - 1);
        if (request.settled().version() == 0 || before.isEmpty()) {
            return true;
        }
        // Windows before the newest may come without sub-samples, and the peak of a sum is lower than that of its
        // parts.
        double whole = peakOfWhole(request.newest(), request, layer, settled);
        boolean many = request.topology().ranks() >= MANY_RANKS;
        double ratio = 1 / peak;
        if (ratio < (many ? 0.85 : 0.9)) {
            return true;
        }
        double lowest = Double.POSITIVE_INFINITY;
        for (ExpertLoad window : before) {
            lowest = Math.min(lowest, peakOfWhole(window, request, layer, settled));
        }
        return 1 / whole < (many ? 0.9 : 0.95) / lowest;
    }

    private static double peakOfWhole(ExpertLoad window, PlanRequest request, int layer, int[] settled) {
        return new FlashLbStages(window.withoutSamples(), layer)
                .peak(settled, request.topology().ranks());
    }
}
