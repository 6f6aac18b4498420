package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.replay.score.Arrivals;
import java.util.List;

/**
 * The placements that a contender serves, plan after plan, beginning with {@link Placement#initial}; each is served at once and whole,
 * and one that may not be served leaves the placement as it is. Counts moves. One thread.
 */
final class Chain {
    private final Contender contender;
    private final ModelShape shape;
    private final Topology topology;
    private final int history;

    private Placement settled;
    private int plans;
    private int invalid;
    private long movesFirst;
    private long movesLater;
    private double idle;

    /** @param history most windows that a plan is made from */
    Chain(Contender contender, ModelShape shape, Topology topology, int history) {
        this.contender = contender;
        this.shape = shape;
        this.topology = topology;
        this.history = history;
        settled = Placement.initial(shape, topology);
    }

    /** Plans from all windows so far and gives what is served next. */
    Placement after(List<ExpertLoad> windows) {
        List<ExpertLoad> past = windows.subList(Math.max(0, windows.size() - history), windows.size());
        PlanRequest request = PlanRequest.of(past, settled, shape, topology)
                .withObjective(contender.objective(), contender.idleSlots());
        Placement target = contender.policy().plan(request).target();
        if (PlacementRules.violations(target, shape, topology).isEmpty()) {
            long moves = Arrivals.count(settled, target, topology.slotsPerRank());
            if (plans == 0) {
                movesFirst = moves;
            } else {
                movesLater += moves;
            }
            settled = target.withVersion(settled.version() + 1);
        } else {
            invalid++;
        }
        plans++;
        idle += settled.idleSlots();
        return settled;
    }

    TimeScores scores(List<Double> micros, double balancedness, double activeExperts) {
        double ofLayers = shape.layers();
        double slots = ofLayers * topology.slots();
        return new TimeScores(
                contender,
                micros,
                balancedness,
                activeExperts,
                movesFirst / ofLayers,
                plans > 1 ? movesLater / slots / (plans - 1) : 0,
                invalid,
                idle / slots / plans);
    }
}
