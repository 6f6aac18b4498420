package dev.plimsoll.model;

import java.util.List;
import java.util.Optional;

/**
 * What a decision was planned from besides the settled placement and the planner's settings: enough to tell whether somebody who plans it
 * again has the same.
 *
 * @param windows complete windows that were looked back on, the newest among them
 * @param oldestWindow index of the oldest of them
 * @param loadsHash of the loads of experts in these windows; the documentation of the plan log says how it is made
 * @param windowTimeMillis how long a window took, by which the gate weighed the cost of moving
 * @param unjudged indices of complete windows since the decision before on which this planner has found no verdict, though it might have
 *     decided on them: a later one was there already, or time was up. The newest {@value #MOST_UNJUDGED} of them
 * @param learned what the gate knew of the deployment besides; empty where the planner does not say: it went by its settings alone
 */
public record PlanInputs(
        int windows,
        long oldestWindow,
        long loadsHash,
        long windowTimeMillis,
        List<Long> unjudged,
        Optional<Learned> learned) {
    public static final int MOST_UNJUDGED = 256;

    /** Of a planner that goes by its settings alone. */
    public PlanInputs(int windows, long oldestWindow, long loadsHash, long windowTimeMillis, List<Long> unjudged) {
        this(windows, oldestWindow, loadsHash, windowTimeMillis, unjudged, Optional.empty());
    }

    public PlanInputs {
        unjudged = List.copyOf(unjudged);
        if (windows < 1 || oldestWindow < 0 || windowTimeMillis < 1) {
            throw new IllegalArgumentException("a plan is made from at least one window of at least 1 ms, not from "
                    + windows + " of " + windowTimeMillis + " ms, the oldest " + oldestWindow);
        }
    }
}
