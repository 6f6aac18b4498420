package dev.plimsoll.worker.explorer;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.planner.DriverState;
import dev.plimsoll.planner.PlanOrder;
import dev.plimsoll.planner.PlanTarget;
import dev.plimsoll.planner.PlannerSettings;
import dev.plimsoll.planner.WindowPlan;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Candidate;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.placement.Verdict;
import java.util.List;
import java.util.Optional;

/** What comes of plans: a policy's wishes stand in a list, the service's own code makes them keep what people ask of every placement. */
final class Planning {
    /** The name of the policy that has the list. */
    static final String POLICY = "test";

    private static final String REASON = "it pays";
    private static final Verdict.Numbers NUMBERS = new Verdict.Numbers(0.5, 0.9, 1, 1, 1, 0, 2, Optional.empty());

    private Planning() {}

    /**
     * What comes of a plan that was ordered.
     *
     * @param wishes of the policy, one after the other
     * @param made how many of them were proposed
     */
    static Verdict verdict(PlanOrder order, DriverState state, List<List<Batch>> wishes, int made) {
        Membership members = state.protocol().members();
        Placement settled = state.protocol().settled();
        Constraints asked = state.control().constraints(members);
        if (order.towards().isPresent()) {
            return towards(members, settled, asked, order.towards().orElseThrow());
        }
        if (made >= wishes.size()) {
            return Verdict.Keep.because(KeepReason.BALANCED, "nothing is wished for");
        }
        List<Batch> batches = wishes.get(made);
        Placement target = settled.withBatches(settled.version(), batches);
        return asked.isEmpty()
                ? new Verdict.Change(
                        new Candidate(target, batches, List.of(), List.of(), PlanReasons.NONE), NUMBERS, REASON)
                : towards(members, settled, asked, new PlanTarget(target, POLICY, REASON));
    }

    private static Verdict towards(Membership members, Placement settled, Constraints asked, PlanTarget wanted) {
        return WindowPlan.towards(PlannerSettings.DEFAULTS, members, settled, asked, loads(members), wanted);
    }

    static PlanRequest request(Membership members, Placement settled) {
        return new PlanRequest(
                loads(members),
                settled,
                members.shape(),
                members.topology(),
                Budget.UNLIMITED,
                PlannerSettings.DEFAULTS.prices(),
                Objective.TOKENS,
                members.idleSlots(),
                ReplicaParts.of(members, loads(members)),
                0);
    }

    private static List<ExpertLoad> loads(Membership members) {
        return List.of(
                ExpertLoad.none(0, members.shape().layers(), 1, members.shape().experts()));
    }
}
