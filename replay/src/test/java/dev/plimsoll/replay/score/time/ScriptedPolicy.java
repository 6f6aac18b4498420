package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.planner.placement.LayerPlan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Gives all layers of a plan what it is told to, by the newest window; remembers what it was asked. */
record ScriptedPolicy(String name, Function<Integer, int[]> script, List<PlanRequest> asked) implements Policy {
    ScriptedPolicy(Function<Integer, int[]> script) {
        this("scripted", script, new ArrayList<>());
    }

    @Override
    public LayerPlan plan(PlanRequest request, int layer) {
        if (layer == 0) {
            asked.add(request);
        }
        return new LayerPlan(script.apply((int) request.newest().windowIndex()), Optional.<LayerReason>empty());
    }
}
