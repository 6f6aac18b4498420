package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Batch;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlanReasons;
import java.util.List;

/**
 * A change of placement that could be proposed: what a policy wants, less the layers that cannot or may not be moved now.
 *
 * @param target the result, with the settled version still
 * @param batches how to get there; empty when nothing changes
 * @param unfitting layers kept as they are because their incoming weights alone exceed a rank's staging memory
 * @param overBudget layers kept as they are because the moves before them used up the budget
 * @param reasons why; empty where the policy does not say
 */
public record Candidate(
        Placement target, List<Batch> batches, List<Integer> unfitting, List<Integer> overBudget, PlanReasons reasons) {
    public Candidate {
        batches = List.copyOf(batches);
        unfitting = List.copyOf(unfitting);
        overBudget = List.copyOf(overBudget);
    }

    /** Slots that get another expert. */
    public int moves() {
        return batches.stream().mapToInt(batch -> batch.moves().size()).sum();
    }

    /** Slots that come into use or fall idle, moved ones apart. */
    public int switches() {
        return batches.stream().mapToInt(batch -> batch.switches().size()).sum();
    }
}
