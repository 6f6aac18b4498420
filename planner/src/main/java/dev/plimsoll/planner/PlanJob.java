package dev.plimsoll.planner;

import dev.plimsoll.model.Conservation;
import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * All that a verdict is made from, as it was when the plan was ordered: whoever makes it looks at nothing else.
 *
 * @param windows oldest first
 * @param towards what is wanted whatever a policy says
 * @param answer whether tokens computed were those routed, in the newest window
 * @param constraints what people ask of every placement
 */
record PlanJob(
        PlannerSettings settings,
        Objective objective,
        Learned learned,
        Membership members,
        Placement settled,
        List<ExpertLoad> windows,
        Duration windowTime,
        Optional<PlanTarget> towards,
        Conservation.Answer answer,
        Constraints constraints) {

    /** @param planning a policy's plan of all layers */
    Verdict verdict(Function<PlanRequest, Plan> planning) {
        if (towards.isPresent()) {
            return WindowPlan.towards(settings, members, settled, constraints, windows, towards.orElseThrow());
        }
        Verdict verdict = WindowPlan.judge(
                settings, planning, objective, learned, members, settled, constraints, windows, windowTime);
        // It is planned on, for many engines do not say what they route; whoever reads the decision shall know.
        String notCompared =
                answer == Conservation.Answer.UNKNOWN ? "; tokens computed were not compared with tokens routed" : "";
        // Neither windows nor settings tell.
        String asked = constraints.isEmpty() ? "" : "; " + constraints.summary();
        return verdict instanceof Verdict.Change change
                ? new Verdict.Change(
                        change.candidate(), change.numbers(), change.reason() + notCompared + asked)
                : verdict;
    }
}
