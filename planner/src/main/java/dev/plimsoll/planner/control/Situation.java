package dev.plimsoll.planner.control;

import dev.plimsoll.planner.placement.Verdict;
import dev.plimsoll.planner.protocol.PlannerState;
import dev.plimsoll.planner.protocol.Sight;
import java.util.Optional;

/**
 * What a command is judged by, besides the commands before it.
 *
 * @param decisions where the decision in flight stands
 * @param sight what is known of the ranks
 * @param observes whether the ranks cannot vote, so that nothing can be decided in this incarnation
 * @param newestWindow index of the newest window, 0 before the first
 * @param wayBack what the way to a rollback's placement comes to; empty for any other command
 */
public record Situation(
        PlannerState decisions, Sight sight, boolean observes, long newestWindow, Optional<Verdict> wayBack) {}
