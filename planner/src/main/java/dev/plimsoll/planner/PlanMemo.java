package dev.plimsoll.planner;

import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Function;

/**
 * A policy's newest plans and what they were made from, so that none is made twice: the plan without the newest window, which a promise is
 * made from, is the one of the window before as long as the settled placement stands and the history reaches back as far.
 *
 * <p>A plan is a function of what its policy {@linkplain Policy#lookedAt looks at}, so whether it is made or remembered shows
 * in nothing but the time. Safe for several threads, as a plan that nobody waits for any more may end late.
 */
final class PlanMemo {
    /** Of a window: its own plan and the one without it; and the plan of the window before, which the next one's may be. */
    private static final int KEPT = 3;

    private record Made(PlanRequest lookedAt, Plan plan) {}

    private final Policy policy;
    private final Deque<Made> kept = new ArrayDeque<>();

    PlanMemo(Policy policy) {
        this.policy = policy;
    }

    /**
     * The plan for a request, made only if it is not remembered.
     *
     * @param planning makes the policy's plan; what it throws is thrown here
     */
    Plan plan(PlanRequest request, Function<PlanRequest, Plan> planning) {
        PlanRequest lookedAt = policy.lookedAt(request);
        Optional<Plan> remembered = remembered(lookedAt);
        if (remembered.isPresent()) {
            return remembered.orElseThrow();
        }
        Plan plan = planning.apply(request);
        remember(new Made(lookedAt, plan));
        return plan;
    }

    private synchronized Optional<Plan> remembered(PlanRequest lookedAt) {
        return kept.stream()
                .filter(made -> made.lookedAt().equals(lookedAt))
                .findFirst()
                .map(Made::plan);
    }

    private synchronized void remember(Made made) {
        kept.addLast(made);
        if (kept.size() > KEPT) {
            kept.removeFirst();
        }
    }
}
