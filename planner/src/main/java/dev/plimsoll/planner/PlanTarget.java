package dev.plimsoll.planner;

import dev.plimsoll.model.Placement;

/**
 * A placement that is wanted whatever a policy would make of the load.
 *
 * @param placement with the version that it had
 * @param policy the name that the decision goes by in the log
 * @param reason why, one line for people
 */
public record PlanTarget(Placement placement, String policy, String reason) {}
