/**
 * Every state that a planner, three ranks and the logs between them can reach, run by their own code: the planner's {@code
 * DecisionProtocol} and {@code PlanLog}, the worker's {@code Orders} and {@code RankAcks}, the library's {@code plm_rank_*}. What is
 * modelled is what lies between these: logs, the gather, weights, engines, and who dies when.
 *
 * <p>Start at {@link dev.plimsoll.worker.explorer.Explorer}.
 */
@NullMarked
package dev.plimsoll.worker.explorer;

import org.jspecify.annotations.NullMarked;
