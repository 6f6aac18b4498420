package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * Expert time of a step: what the slots of the slowest rank are expected to take, added up over layers, as all ranks wait for it in each.
 *
 * <p>By a device profile and the tokens that slots get per step on average, an expert's tokens split evenly over its slots in use. Which
 * rank is the slowest differs from step to step, so it is the mean of the longest time, not the longest mean: by up to 8 % more where a step
 * has few tokens.
 */
public final class ExpertTime {
    private ExpertTime() {}

    /**
     * What the slots of each rank are expected to take.
     *
     * @param expertOfSlot {@code [slot]}, -1 where idle: {@link Placement#inUse}
     * @param tokensPerStep {@code [expert]}
     * @return {@code [rank]} microseconds
     */
    public static double[] rankMicros(
            int[] expertOfSlot, double[] tokensPerStep, ExpectedTime expected, Topology topology) {
        int[] replicas = EvenSplit.replicas(expertOfSlot, tokensPerStep.length);
        double[] ofRank = new double[topology.ranks()];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int expert = expertOfSlot[slot];
            if (expert >= 0) {
                ofRank[slot / topology.slotsPerRank()] += expected.micros(tokensPerStep[expert] / replicas[expert]);
            }
        }
        return ofRank;
    }

    /**
     * Expert time of a step in microseconds.
     *
     * @param load {@code [layer][expert]} tokens over all the steps
     * @param steps at least 1
     */
    public static double stepMicros(
            Placement placement, double[][] load, long steps, ExpectedTime expected, Topology topology) {
        return stepMicros(placement, load, steps, expected, ReplicaParts.EVEN, topology);
    }

    /** The same where replicas do not get equally much. */
    public static double stepMicros(
            Placement placement,
            double[][] load,
            long steps,
            ExpectedTime expected,
            ReplicaParts parts,
            Topology topology) {
        return sum(layerMicros(placement, load, steps, expected, parts, topology));
    }

    /** The same by layer. */
    static double[] layerMicros(
            Placement placement,
            double[][] load,
            long steps,
            ExpectedTime expected,
            ReplicaParts parts,
            Topology topology) {
        double[] micros = new double[load.length];
        for (int layer = 0; layer < load.length; layer++) {
            micros[layer] = layerMicros(placement, layer, load, steps, expected, parts, topology);
        }
        return micros;
    }

    /**
     * The same, of a placement that has most layers as another one has them.
     *
     * @param micros {@code [layer]} of the other one
     */
    static double[] layerMicros(
            Placement placement,
            Placement other,
            double[] micros,
            double[][] load,
            long steps,
            ExpectedTime expected,
            ReplicaParts parts,
            Topology topology) {
        double[] of = micros.clone();
        for (int layer = 0; layer < load.length; layer++) {
            if (!Arrays.equals(placement.inUse(layer), other.inUse(layer))) {
                of[layer] = layerMicros(placement, layer, load, steps, expected, parts, topology);
            }
        }
        return of;
    }

    private static double layerMicros(
            Placement placement,
            int layer,
            double[][] load,
            long steps,
            ExpectedTime expected,
            ReplicaParts parts,
            Topology topology) {
        double[] tokens = load[layer].clone();
        for (int expert = 0; expert < tokens.length; expert++) {
            tokens[expert] /= steps;
        }
        return SlowestRank.micros(layer, placement.inUse(layer), tokens, expected, parts, topology);
    }

    static double sum(double[] micros) {
        double sum = 0;
        for (double ofLayer : micros) {
            sum += ofLayer;
        }
        return sum;
    }
}
