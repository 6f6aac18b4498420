package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.List;

/**
 * All that a {@link Policy} may look at.
 *
 * @param windows complete windows, oldest first, at least one; a policy looks back on as many as it likes; by time, each that has load
 *     says over how many steps
 * @param settled what the ranks serve, valid
 * @param budget what the moves may take together
 * @param prices what one move costs, by where its weights come from
 * @param objective what is to be even; policies of others know tokens only
 * @param idleSlots whether slots may be left idle
 * @param parts how an expert's tokens are shared among its replicas; policies of others take it to be even
 * @param seed of whatever a policy draws by chance
 */
public record PlanRequest(
        List<ExpertLoad> windows,
        Placement settled,
        ModelShape shape,
        Topology topology,
        Budget budget,
        MovePrices prices,
        Objective objective,
        boolean idleSlots,
        ReplicaParts parts,
        long seed) {
    /** A request of an engine that shares evenly. */
    public PlanRequest(
            List<ExpertLoad> windows,
            Placement settled,
            ModelShape shape,
            Topology topology,
            Budget budget,
            MovePrices prices,
            Objective objective,
            boolean idleSlots,
            long seed) {
        this(windows, settled, shape, topology, budget, prices, objective, idleSlots, ReplicaParts.EVEN, seed);
    }

    /** A request by tokens, in which every slot is in use. */
    public PlanRequest(
            List<ExpertLoad> windows,
            Placement settled,
            ModelShape shape,
            Topology topology,
            Budget budget,
            MovePrices prices,
            long seed) {
        this(windows, settled, shape, topology, budget, prices, Objective.TOKENS, false, seed);
    }

    public PlanRequest {
        windows = List.copyOf(windows);
        if (windows.isEmpty()) {
            throw new IllegalArgumentException("a plan needs at least one window");
        }
        for (ExpertLoad window : windows) {
            if (window.layers() != shape.layers() || window.experts() != shape.experts()) {
                throw new IllegalArgumentException("window " + window.windowIndex() + " has " + window.layers()
                        + " layers of " + window.experts() + " experts, the model " + shape.layers() + " of "
                        + shape.experts());
            }
        }
        if (objective instanceof Objective.Time) {
            windows.forEach(PlanRequest::requireSteps);
        }
        if (settled.layers() != shape.layers() || settled.slots() != topology.slots()) {
            throw new IllegalArgumentException("a placement of " + settled.layers() + " layers × " + settled.slots()
                    + " slots for " + shape.layers() + " × " + topology.slots());
        }
        if (topology.slotsPerRank() > shape.experts()) {
            throw new IllegalArgumentException("a rank with " + topology.slotsPerRank()
                    + " slots cannot hold that many different experts of " + shape.experts()
                    + "; configure fewer redundant slots");
        }
    }

    private static void requireSteps(ExpertLoad window) {
        for (int layer = 0; window.steps() == 0 && layer < window.layers(); layer++) {
            for (int expert = 0; expert < window.experts(); expert++) {
                if (window.at(layer, expert) > 0) {
                    throw new IllegalArgumentException("window " + window.windowIndex()
                            + " has load and does not say over how many steps: by time, tokens per step are needed; say"
                            + " it with ExpertLoad.over, or plan by tokens");
                }
            }
        }
    }

    /** A request without limits and with equal prices. */
    public static PlanRequest of(List<ExpertLoad> windows, Placement settled, ModelShape shape, Topology topology) {
        return new PlanRequest(windows, settled, shape, topology, Budget.UNLIMITED, MovePrices.EQUAL, 0);
    }

    /** The request as it would have been before the newest window, if this placement had been settled then; needs two windows. */
    public PlanRequest withoutNewest() {
        return withWindows(windows.subList(0, windows.size() - 1));
    }

    /** The same over other windows. */
    PlanRequest withWindows(List<ExpertLoad> others) {
        return new PlanRequest(others, settled, shape, topology, budget, prices, objective, idleSlots, parts, seed);
    }

    /** The same for another objective. */
    public PlanRequest withObjective(Objective other, boolean mayIdle) {
        return new PlanRequest(windows, settled, shape, topology, budget, prices, other, mayIdle, parts, seed);
    }

    /** The same of an engine that shares in another way. */
    public PlanRequest withParts(ReplicaParts other) {
        return new PlanRequest(windows, settled, shape, topology, budget, prices, objective, idleSlots, other, seed);
    }

    /** The window that most policies plan for. */
    public ExpertLoad newest() {
        return windows.get(windows.size() - 1);
    }
}
