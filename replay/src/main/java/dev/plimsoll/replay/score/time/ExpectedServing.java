package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.Balance;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.EvenSplit;
import dev.plimsoll.planner.placement.ExpectedTime;
import dev.plimsoll.planner.placement.ExpertTime;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Serves windows whose steps nobody knows one by one: an expert's tokens of a step are a Poisson count by its load, split evenly over
 * its slots in use. One thread.
 */
final class ExpectedServing {
    private final Topology topology;
    private final ExpectedTime expected;
    private final List<Double> micros = new ArrayList<>();
    private double balancedness;
    private int balanced;
    private double active;
    private int layers;

    ExpectedServing(Topology topology, ExpectedTime expected) {
        this.topology = topology;
        this.expected = expected;
    }

    /** @param tokensPerStep {@code [layer][expert]} */
    void serve(Placement placement, double[][] tokensPerStep) {
        double sum = 0;
        for (int layer = 0; layer < tokensPerStep.length; layer++) {
            int[] inUse = placement.inUse(layer);
            double[] ofRank = ExpertTime.rankMicros(inUse, tokensPerStep[layer], expected, topology);
            int slowest = 0;
            for (int rank = 1; rank < ofRank.length; rank++) {
                slowest = ofRank[rank] > ofRank[slowest] ? rank : slowest;
            }
            sum += ofRank[slowest];
            active += active(placement, layer, slowest, tokensPerStep[layer]);
            layers++;
            OptionalDouble found = Balance.ofLayer(EvenSplit.rankLoads(inUse, tokensPerStep[layer], topology));
            if (found.isPresent()) {
                balancedness += found.getAsDouble();
                balanced++;
            }
        }
        micros.add(sum);
    }

    /** Slots of a rank that get any token, expected. */
    private double active(Placement placement, int layer, int rank, double[] tokensPerStep) {
        int[][] slotsOf = placement.slotsOfExperts(layer, tokensPerStep.length);
        double sum = 0;
        for (int expert = 0; expert < slotsOf.length; expert++) {
            for (int slot : slotsOf[expert]) {
                if (slot / topology.slotsPerRank() == rank) {
                    sum += 1 - StrictMath.exp(-tokensPerStep[expert] / slotsOf[expert].length);
                }
            }
        }
        return sum;
    }

    /** A time that no placement can be below: {@link SlowestRank#atLeast} of every layer. */
    static double bound(double[][] tokensPerStep, Topology topology, ExpectedTime expected) {
        double sum = 0;
        for (double[] ofLayer : tokensPerStep) {
            int most = SlowestRank.mostReplicas(topology, ofLayer.length);
            double[] together = new double[ofLayer.length];
            double[] some = new double[ofLayer.length];
            for (int expert = 0; expert < ofLayer.length; expert++) {
                together[expert] = expected.micros(ofLayer[expert]);
                for (int replicas = 2; replicas <= most; replicas++) {
                    together[expert] =
                            Math.min(together[expert], replicas * expected.micros(ofLayer[expert] / replicas));
                }
                some[expert] = expected.micros(ofLayer[expert] / most);
            }
            sum += SlowestRank.atLeast(together, some, topology.ranks());
        }
        return sum;
    }

    List<Double> micros() {
        return micros;
    }

    double balancedness() {
        return balancedness / balanced;
    }

    /** Slots of the slowest rank that get any token, expected, on average over windows and layers. */
    double activeOnSlowest() {
        return active / layers;
    }
}
