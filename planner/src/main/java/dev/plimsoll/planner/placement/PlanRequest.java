package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;

/**
 * All that a {@link Policy} may look at.
 *
 * @param load {@code [layer][expert]} tokens expected, not negative; not to be written to
 * @param settled what the ranks serve, valid
 * @param seed of whatever a policy draws by chance
 */
public record PlanRequest(double[][] load, Placement settled, ModelShape shape, Topology topology, long seed) {
    public PlanRequest {
        if (load.length != shape.layers() || settled.layers() != shape.layers()) {
            throw new IllegalArgumentException("loads of " + load.length + " layers and a placement of "
                    + settled.layers() + " for a model of " + shape.layers());
        }
        for (double[] layer : load) {
            if (layer.length != shape.experts()) {
                throw new IllegalArgumentException(
                        "loads of " + layer.length + " experts for a model of " + shape.experts());
            }
        }
        if (topology.slotsPerRank() > shape.experts()) {
            throw new IllegalArgumentException(
                    "a rank with " + topology.slotsPerRank() + " slots cannot hold that many " + "different experts of "
                            + shape.experts() + "; configure fewer redundant slots");
        }
    }
}
