package dev.plimsoll.bench.load;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.StepRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The samples that one node's collector would send: its own ranks, all layers. A few sets of counters, drawn once, come in turn. */
public final class NodeSamples {
    private static final int SETS = 5;

    private final LoadShape shape;
    private final Membership members;
    private final int node;
    private final List<Counters> sets = new ArrayList<>();

    public NodeSamples(LoadShape shape, Membership members, int node, long seed) {
        this.shape = shape;
        this.members = members;
        this.node = node;
        Random random = new Random(seed + node);
        for (int set = 0; set < SETS; set++) {
            long[] load = new long[shape.ranksOf(node) * shape.layers() * shape.slotsPerRank()];
            for (int i = 0; i < load.length; i++) {
                // As skewed as routing is: most slots get little, a few get much.
                load[i] = (long) (20 * Math.exp(random.nextGaussian()));
            }
            sets.add(Counters.of(load));
        }
    }

    /** Of the steps {@code (boundary · K, (boundary + 1) · K]}. */
    public LoadSample at(long boundary) {
        long from = boundary * shape.boundarySteps();
        return new LoadSample(
                members.deployment(),
                members.incarnation(),
                new StepRange(from, from + shape.boundarySteps()),
                members.phase(),
                "node-" + node,
                shape.firstRank(node),
                shape.ranksOf(node),
                0,
                shape.layers(),
                shape.slotsPerRank(),
                PlacementState.settled(0),
                false,
                LongVector.empty(),
                sets.get((int) (boundary % SETS)));
    }
}
