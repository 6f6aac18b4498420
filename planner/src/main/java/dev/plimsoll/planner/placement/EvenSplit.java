package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.OptionalDouble;

/** Rank loads as a placement would make them when an expert's tokens split evenly over its replicas, which is how engines do it. */
public final class EvenSplit {
    private EvenSplit() {}

    /**
     * @param expertOfSlot {@code [slot]}, -1 where idle
     * @param load {@code [expert]}
     * @return {@code [rank]}
     */
    public static double[] rankLoads(int[] expertOfSlot, double[] load, Topology topology) {
        int[] replicas = replicas(expertOfSlot, load.length);
        double[] ofRank = new double[topology.ranks()];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int expert = expertOfSlot[slot];
            if (expert >= 0) {
                ofRank[slot / topology.slotsPerRank()] += load[expert] / replicas[expert];
            }
        }
        return ofRank;
    }

    /** Slots in use of every expert, {@code [expert]}. */
    static int[] replicas(int[] expertOfSlot, int experts) {
        int[] replicas = new int[experts];
        for (int expert : expertOfSlot) {
            if (expert >= 0) {
                replicas[expert]++;
            }
        }
        return replicas;
    }

    /** Predicted balancedness; {@code load} is {@code [layer][expert]}. */
    public static Balance balance(Placement placement, double[][] load, Topology topology) {
        OptionalDouble[] balancedness = new OptionalDouble[load.length];
        for (int layer = 0; layer < load.length; layer++) {
            balancedness[layer] = Balance.ofLayer(rankLoads(placement.inUse(layer), load[layer], topology));
        }
        return Balance.over(balancedness);
    }

    /** Load of the hottest rank, added up over layers: what the group's time is proportional to, as all ranks wait for it. */
    public static double hottest(Placement placement, double[][] load, Topology topology) {
        double sum = 0;
        for (int layer = 0; layer < load.length; layer++) {
            sum += max(rankLoads(placement.inUse(layer), load[layer], topology));
        }
        return sum;
    }

    static double max(double[] values) {
        double max = 0;
        for (double value : values) {
            max = Math.max(max, value);
        }
        return max;
    }
}
