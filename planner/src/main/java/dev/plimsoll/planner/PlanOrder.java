package dev.plimsoll.planner;

import java.util.List;
import java.util.Optional;

/**
 * What a plan is wanted for: it holds for no other window, version or incarnation.
 *
 * @param version settled, that it is to start from
 * @param window the newest that it is made from
 * @param unjudged indices of windows since the last decision that no verdict was found on
 * @param towards what is wanted whatever a policy says; empty where a policy is asked
 */
public record PlanOrder(long incarnation, int version, long window, List<Long> unjudged, Optional<PlanTarget> towards) {
    public PlanOrder {
        unjudged = List.copyOf(unjudged);
    }
}
