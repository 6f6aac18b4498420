package dev.plimsoll.planner;

import dev.plimsoll.planner.control.ControlState;
import dev.plimsoll.planner.protocol.PlannerState;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * All that one deployment's next decision depends on besides the windows themselves.
 *
 * @param protocol where the decision stands
 * @param lastWindow index of the newest window, in the order of the log; empty before the first
 * @param planFrom index of the window from which the cooldown of the last decision is over
 * @param newest a window that is still to be decided on
 * @param unjudged windows since the last decision that might have been decided on, and on which no verdict was found
 * @param ordered the plan that is being made
 * @param setbacks decisions that came to nothing
 * @param towards what the next decision is to lead to, whatever a policy says
 * @param foundWorse the settled version that was found worse than the one before it, which is looked into once
 * @param control what people want
 */
public record DriverState(
        PlannerState protocol,
        OptionalLong lastWindow,
        long planFrom,
        OptionalLong newest,
        List<Long> unjudged,
        Optional<PlanOrder> ordered,
        Setbacks setbacks,
        Optional<PlanTarget> towards,
        OptionalInt foundWorse,
        ControlState control) {
    public DriverState {
        unjudged = List.copyOf(unjudged);
    }
}
