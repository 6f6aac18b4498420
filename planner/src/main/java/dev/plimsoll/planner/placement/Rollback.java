package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import java.util.List;
import java.util.Locale;

/**
 * The way back to a placement that was settled once: a decision like any other, past the gate and without a budget, and never past the
 * rules or what people ask of every placement. Pure.
 */
public final class Rollback {
    /** What such decisions say in place of a policy's name. */
    public static final String POLICY = "rollback";

    private Rollback() {}

    /**
     * @param request what is settled, and the windows that batches are ordered by; its budget is not asked
     * @param version the placement to go back to, under its own number
     * @return a change, or why there is none
     */
    public static Verdict towards(PlanRequest request, Placement version, Constraints constraints, Membership members) {
        List<String> violations = PlacementRules.violations(version, members.shape(), members.topology());
        if (!violations.isEmpty()) {
            return Verdict.Keep.because(
                    KeepReason.INVALID, "v" + version.version() + " may not be served: " + violations.get(0));
        }
        List<String> conflicts = constraints.conflicts(members.shape(), members.topology());
        if (!conflicts.isEmpty()) {
            return Verdict.Keep.because(KeepReason.CONSTRAINED, conflicts.get(0));
        }
        Placement settled = request.settled();
        Placement wanted = constraints.on(
                settled,
                version.withVersion(settled.version()),
                members.shape(),
                members.topology(),
                members.idleSlots(),
                request.newest());
        Candidate candidate =
                BatchCutter.cut(request, Plan.of(wanted), members.incomingPerRank(), members.bytesPerExpert());
        if (!candidate.unfitting().isEmpty()) {
            return Verdict.Keep.because(
                    KeepReason.BUDGET,
                    "layers " + candidate.unfitting() + " need more weights on one rank at once than its staging"
                            + " memory of " + members.incomingPerRank() + " experts holds");
        }
        if (candidate.batches().isEmpty()) {
            return Verdict.Keep.because(
                    KeepReason.BALANCED,
                    "v" + settled.version() + ", which is settled, has every expert where v" + version.version()
                            + " had it" + (constraints.isEmpty() ? "" : ", as far as pins and drains let it"));
        }
        return Verdict.Change.promisingNothing(
                candidate,
                settled,
                members,
                request.newest(),
                String.format(
                        Locale.ROOT,
                        "back to v%d: %d moves, %d switches in %d batches%s",
                        version.version(),
                        candidate.moves(),
                        candidate.switches(),
                        candidate.batches().size(),
                        constraints.isEmpty() ? "" : ", as far as pins and drains let it"));
    }
}
