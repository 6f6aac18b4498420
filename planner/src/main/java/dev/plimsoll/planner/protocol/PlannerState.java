package dev.plimsoll.planner.protocol;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;

/**
 * All that the planner knows of one deployment's decisions; rebuilt from the logs at any time.
 *
 * @param members the incarnation in force
 * @param settled what its ranks serve when nothing is in flight
 * @param term this planner's reign
 * @param number of the last command written
 * @param lastEpoch the highest epoch ever proposed in this deployment, 0 for none
 */
public record PlannerState(Membership members, Placement settled, long term, long number, int lastEpoch, Stage stage) {}
