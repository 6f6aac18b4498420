package dev.plimsoll.bench.load;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Topology;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How large the deployment is that is played, and how fast it goes.
 *
 * @param boundarySteps K, steps per sample
 * @param boundariesPerWindow W ÷ K
 */
public record LoadShape(
        int ranks,
        int nodes,
        int layers,
        int slotsPerRank,
        int boundarySteps,
        int boundariesPerWindow,
        double stepsPerSecond) {
    public LoadShape {
        if (nodes < 1
                || ranks < nodes
                || layers < 1
                || slotsPerRank < 1
                || boundarySteps < 1
                || boundariesPerWindow < 1) {
            throw new IllegalArgumentException("nothing to play: " + ranks + " ranks on " + nodes + " nodes, " + layers
                    + " layers × " + slotsPerRank + " slots, " + boundarySteps + " steps × " + boundariesPerWindow);
        }
        if (!(stepsPerSecond > 0)) {
            throw new IllegalArgumentException("steps per second must be above 0, not " + stepsPerSecond);
        }
    }

    public Membership members(Deployment deployment, long incarnation) {
        List<Integer> nodeOfRank =
                IntStream.range(0, ranks).map(this::nodeOf).boxed().toList();
        int experts = Math.min(512, ranks * slotsPerRank);
        return new Membership(
                deployment,
                incarnation,
                ModelShape.of("load", experts, Math.min(8, experts), 0, layers),
                new Topology(nodeOfRank, slotsPerRank),
                "plimsoll-load",
                Phase.DECODE,
                GatherMode.HOST,
                boundarySteps,
                boundarySteps * boundariesPerWindow,
                1 << 20,
                1 << 24);
    }

    private int nodeOf(int rank) {
        return (int) ((long) rank * nodes / ranks);
    }

    /** The first rank of a node. */
    public int firstRank(int node) {
        return (int) (((long) node * ranks + nodes - 1) / nodes);
    }

    /** How many ranks a node has. */
    public int ranksOf(int node) {
        return firstRank(node + 1) - firstRank(node);
    }

    public long nanosPerBoundary() {
        return (long) (boundarySteps / stepsPerSecond * 1e9);
    }
}
