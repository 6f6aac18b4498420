package dev.plimsoll.app.chaos;

import java.util.List;

/**
 * What topics tell of all decisions of a run.
 *
 * @param decisions that have an end, or should
 * @param settled whole or in part
 * @param aborted that were to stop
 * @param rollbacks towards an older placement, settled
 * @param failovers terms of a planner other than the one before
 * @param mapSkew boundary intervals in which two ranks had different placements, once for each sample that disagrees
 * @param lost decisions without an end, with two, or settled as what nobody can have flipped; commands of a planner that was replaced
 * @param uncovered experts without a slot, over all settled placements and layers
 * @param findings one line for each
 */
public record DecisionVerdict(
        int decisions,
        int settled,
        int aborted,
        int rollbacks,
        int failovers,
        int mapSkew,
        int lost,
        int uncovered,
        List<String> findings) {
    public DecisionVerdict {
        findings = List.copyOf(findings);
    }

    public boolean clean() {
        return mapSkew == 0 && lost == 0 && uncovered == 0;
    }
}
