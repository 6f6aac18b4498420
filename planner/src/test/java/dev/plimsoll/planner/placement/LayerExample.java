package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.List;

/** One layer, or layers alike, planned from the initial placement unless told otherwise. */
record LayerExample(int experts, Topology topology) {
    /** Two hot experts, two warm ones and little else: 181.25 on each of eight ranks would be perfect. */
    static final long[] STEEP = {600, 560, 120, 120, 20, 10, 10, 10};

    ModelShape shape(int layers) {
        return ModelShape.of("example", experts, 1, 0, layers);
    }

    int[] initial() {
        return Placement.initial(shape(1), topology).layer(0);
    }

    int[] plan(String name, long... load) {
        return plan(name, initial(), load);
    }

    int[] plan(String name, int[] settled, long... load) {
        return plan(name, Placement.of(0, new int[][] {settled}), ExpertLoad.of(0, new long[][] {load}))
                .layer(0);
    }

    Placement plan(String name, Placement settled, ExpertLoad... windows) {
        return Policy.named(name)
                .plan(PlanRequest.of(List.of(windows), settled, shape(settled.layers()), topology))
                .target();
    }

    double[] rankLoads(int[] expertOfSlot, long... load) {
        return EvenSplit.rankLoads(
                expertOfSlot, Arrays.stream(load).asDoubleStream().toArray(), topology);
    }

    /** {@code [rank]}, ascending experts: what is on a rank, whatever the slot. */
    int[][] rows(int[] expertOfSlot) {
        int[][] rows = new int[topology.ranks()][];
        for (int rank = 0; rank < rows.length; rank++) {
            int first = rank * topology.slotsPerRank();
            rows[rank] = Arrays.copyOfRange(expertOfSlot, first, first + topology.slotsPerRank());
            Arrays.sort(rows[rank]);
        }
        return rows;
    }
}
