package dev.plimsoll.planner.placement;

import java.util.Arrays;
import java.util.Random;

/**
 * Hands what some ranks hold around a ring of them, whatever the load: every decision moves weights, and none is worth anything. For
 * whoever wants decisions to happen and not to pay, such as {@code plimsoll chaos decisions}; so {@link Policy#asksTheGate} says no.
 *
 * <p>Who is on the ring, two ranks at least, and in which order follows from the seed and the settled placement, in all layers alike: the
 * next decision has another ring. As whole ranks are handed on, the result is as valid as what was settled, and every expert has as many
 * replicas as before.
 */
final class RotationPolicy implements Policy {
    static final String NAME = "rotation";

    private static final int MOST_ON_RING = 4;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean asksTheGate() {
        return false;
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        int[] placed = request.settled().layer(layer).clone();
        int[] settled = placed.clone();
        int perRank = request.topology().slotsPerRank();
        int[] ring = ring(
                new Random(request.seed() ^ request.settled().hash()),
                request.topology().ranks());
        for (int i = 0; i < ring.length; i++) {
            int next = ring[(i + 1) % ring.length];
            System.arraycopy(settled, ring[i] * perRank, placed, next * perRank, perRank);
        }
        return LayerPlan.of(request, layer, placed);
    }

    /** Ranks drawn alike, in an order drawn alike; none where there is only one. */
    private static int[] ring(Random random, int ranks) {
        int[] order = new int[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            int at = random.nextInt(rank + 1);
            order[rank] = order[at];
            order[at] = rank;
        }
        int most = Math.min(MOST_ON_RING, ranks);
        return most < 2 ? new int[0] : Arrays.copyOf(order, 2 + random.nextInt(most - 1));
    }
}
