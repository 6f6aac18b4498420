package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;
import java.util.Arrays;

/**
 * Descent from the settled placement, and greedy packing where that is not enough; layer by layer.
 *
 * <p>A layer whose predicted balancedness is good enough is not touched. Else two candidates compete: {@link LayerSearch} from
 * the settled placement, which moves little, and {@link GreedyPacking} polished by the same search, which escapes where single
 * steps cannot. The winner has the most balancedness left after paying {@link #PRICE_OF_LAYER} for every full layer's worth of
 * weights moved; when that is not more than now by {@link #LEAST_GAIN}, the layer stays as it is.
 */
final class GreedyPolicy implements Policy {
    /** Predicted balancedness from which on a layer is left alone. */
    static final double GOOD_ENOUGH = 0.95;
    /** Balancedness that moving all slots of a layer must bring; a part of them, its share. */
    static final double PRICE_OF_LAYER = 0.10;
    /** Balancedness that touching a layer must bring at least, after its price. */
    static final double LEAST_GAIN = 0.01;
    /** Least fall of the search's potential per moved weight, in units of mean². */
    static final double PRICE_OF_STEP = 2e-4;
    /** How far above the mean packing may load a rank to leave an expert where it is. */
    static final double TOLERANCE = 0.05;

    @Override
    public String name() {
        return "greedy";
    }

    /** Weight of a window relative to the one after it, and how many windows count. */
    private static final double DECAY = 0.6;

    private static final int WINDOWS = 8;

    @Override
    public Plan plan(PlanRequest request) {
        int from = Math.max(0, request.windows().size() - WINDOWS);
        double[][] load =
                Forecast.of(request.windows().subList(from, request.windows().size()), DECAY);
        int[][] experts = request.settled().toArray();
        for (int layer = 0; layer < experts.length; layer++) {
            experts[layer] = planLayer(experts[layer], load[layer], request);
        }
        return Plan.of(Placement.of(request.settled().version(), experts));
    }

    private static int[] planLayer(int[] settled, double[] load, PlanRequest request) {
        double current = balancedness(settled, load, request);
        if (current >= GOOD_ENOUGH) {
            return settled;
        }
        int ranks = request.topology().ranks();
        int[] packed = new GreedyPacking(settled, load, ranks).pack(TOLERANCE);
        int[] best = better(settled, settled, search(settled, load, ranks), load, request);
        return better(settled, best, search(packed, load, ranks), load, request);
    }

    private static int[] search(int[] from, double[] load, int ranks) {
        return new LayerSearch(from, load, ranks).descend(PRICE_OF_STEP);
    }

    /** The found one, in the order of kept slots, if it is worth more than the best so far. */
    private static int[] better(int[] settled, int[] best, int[] found, double[] load, PlanRequest request) {
        int[] candidate = KeptSlots.arrange(settled, found, request.topology().slotsPerRank());
        double least = worth(settled, best, load, request) + (best == settled ? LEAST_GAIN : 0);
        return worth(settled, candidate, load, request) > least ? candidate : best;
    }

    private static double worth(int[] settled, int[] candidate, double[] load, PlanRequest request) {
        return balancedness(candidate, load, request) - PRICE_OF_LAYER * changed(settled, candidate) / settled.length;
    }

    /** 1 for a layer without load: nothing to gain. */
    private static double balancedness(int[] expertOfSlot, double[] load, PlanRequest request) {
        double[] ofRank = EvenSplit.rankLoads(expertOfSlot, load, request.topology());
        double max = EvenSplit.max(ofRank);
        return max == 0 ? 1 : Arrays.stream(ofRank).sum() / ofRank.length / max;
    }

    private static int changed(int[] before, int[] after) {
        int changed = 0;
        for (int slot = 0; slot < before.length; slot++) {
            changed += before[slot] == after[slot] ? 0 : 1;
        }
        return changed;
    }
}
