package dev.plimsoll.planner;

import java.util.List;

/**
 * What a plan is wanted for: it holds for no other window, version or incarnation.
 *
 * @param version settled, that it is to start from
 * @param window the newest that it is made from
 * @param unjudged indices of windows since the last decision that no verdict was found on
 */
public record PlanOrder(long incarnation, int version, long window, List<Long> unjudged) {
    public PlanOrder {
        unjudged = List.copyOf(unjudged);
    }
}
