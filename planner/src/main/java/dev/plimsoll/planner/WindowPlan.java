package dev.plimsoll.planner;

import dev.plimsoll.model.Learned;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.PlacementRules;
import dev.plimsoll.planner.placement.BatchCutter;
import dev.plimsoll.planner.placement.Budget;
import dev.plimsoll.planner.placement.Candidate;
import dev.plimsoll.planner.placement.Constraints;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.planner.placement.Gate;
import dev.plimsoll.planner.placement.KeepReason;
import dev.plimsoll.planner.placement.Objective;
import dev.plimsoll.planner.placement.Plan;
import dev.plimsoll.planner.placement.PlanRequest;
import dev.plimsoll.planner.placement.Policy;
import dev.plimsoll.planner.placement.Repair;
import dev.plimsoll.planner.placement.ReplicaParts;
import dev.plimsoll.planner.placement.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The way from complete windows to a verdict: forecast, policy, rules, batches, gate. Pure. */
public final class WindowPlan {
    private static final String MENDS = "mends what the engine began with: ";
    private static final String KEEPS = "keeps what is asked of every placement: ";

    private WindowPlan() {}

    /** Whether a decision was made whatever it brings, as far as staging memory let it: to be sound, or to keep what people ask. */
    public static boolean isDemanded(String reason) {
        return reason.startsWith(MENDS) || reason.startsWith(KEEPS);
    }

    /** The verdict by the settings alone, of a deployment of which nothing has been measured. */
    public static Verdict judge(
            PlannerSettings settings,
            Function<PlanRequest, Plan> planning,
            Objective objective,
            Membership members,
            Placement settled,
            List<ExpertLoad> windows,
            Duration windowTime) {
        return judge(
                settings, planning, objective, Gate.nothing(settings.gate()), members, settled, windows, windowTime);
    }

    /** The verdict on a deployment of whose placements nobody asks anything. */
    public static Verdict judge(
            PlannerSettings settings,
            Function<PlanRequest, Plan> planning,
            Objective objective,
            Learned learned,
            Membership members,
            Placement settled,
            List<ExpertLoad> windows,
            Duration windowTime) {
        return judge(settings, planning, objective, learned, members, settled, Constraints.NONE, windows, windowTime);
    }

    /**
     * @param planning a policy's plan of all layers
     * @param objective what the deployment is planned by: {@link PlannerSettings#objectiveFor}
     * @param learned what has been measured of the deployment
     * @param constraints what people ask of every placement
     * @param windows complete windows, oldest first, at most the history
     * @param windowTime how long a window takes
     */
    public static Verdict judge(
            PlannerSettings settings,
            Function<PlanRequest, Plan> planning,
            Objective objective,
            Learned learned,
            Membership members,
            Placement settled,
            Constraints constraints,
            List<ExpertLoad> windows,
            Duration windowTime) {
        if (!windows.isEmpty()) {
            Optional<Verdict> must = repair(settings, members, settled, constraints, windows)
                    .or(() -> constrain(settings, members, settled, constraints, windows));
            if (must.isPresent()) {
                return must.orElseThrow();
            }
        }
        if (windows.size() < 2) {
            return Verdict.Keep.because(KeepReason.COLD, windows.size() + " complete windows of 2");
        }
        if (settings.budget().bytes() < members.bytesPerExpert()) {
            return Verdict.Keep.because(
                    KeepReason.BUDGET,
                    "a budget of " + settings.budget().bytes() + " bytes is less than one expert's "
                            + members.bytesPerExpert());
        }
        Budget budget = settings.budget().within(members.incomingPerRank(), members.bytesPerExpert());
        PlanRequest request = new PlanRequest(
                windows,
                settled,
                members.shape(),
                members.topology(),
                budget,
                settings.prices(),
                objective,
                members.idleSlots(),
                ReplicaParts.of(members, windows),
                settings.seed());
        Plan plan = constrained(request, planning.apply(request), constraints);
        List<String> violations = PlacementRules.violations(plan.target(), members.shape(), members.topology());
        if (!violations.isEmpty()) {
            return Verdict.Keep.because(KeepReason.INVALID, violations.get(0));
        }
        Candidate candidate = cut(request, plan, members);
        if (!candidate.batches().isEmpty() && !Policy.named(settings.policy()).asksTheGate()) {
            return Verdict.Change.promisingNothing(
                    candidate, settled, members, request.newest(), "carried out whatever it brings");
        }
        Placement earlier = settled;
        if (!candidate.batches().isEmpty()) {
            PlanRequest without = request.withoutNewest();
            earlier = cut(without, constrained(without, planning.apply(without), constraints), members)
                    .target();
        }
        return Gate.judge(
                settings.gate(),
                objective,
                learned,
                candidate,
                earlier,
                settled,
                members,
                request.newest(),
                request.parts(),
                windowTime);
    }

    /** A policy's plan, with what people ask of every placement; it says why for what it wanted only. */
    private static Plan constrained(PlanRequest request, Plan plan, Constraints constraints) {
        Placement target = constraints.on(
                request.settled(),
                plan.target(),
                request.shape(),
                request.topology(),
                request.idleSlots(),
                request.newest());
        return target.equals(plan.target()) ? plan : Plan.of(target);
    }

    /**
     * What makes a placement keep what people ask of every placement, whatever it brings: as with a repair no policy, budget or gate is
     * asked. Empty where it does.
     */
    private static Optional<Verdict> constrain(
            PlannerSettings settings,
            Membership members,
            Placement settled,
            Constraints constraints,
            List<ExpertLoad> windows) {
        List<String> conflicts = constraints.conflicts(members.shape(), members.topology());
        if (!conflicts.isEmpty()) {
            return Optional.of(Verdict.Keep.because(KeepReason.CONSTRAINED, conflicts.get(0)));
        }
        List<String> violations =
                constraints.violations(settled, members.shape(), members.topology(), members.idleSlots());
        if (violations.isEmpty()) {
            return Optional.empty();
        }
        ExpertLoad newest = windows.get(windows.size() - 1);
        Placement kept =
                constraints.on(settled, settled, members.shape(), members.topology(), members.idleSlots(), newest);
        return Optional.of(must(
                settings,
                members,
                settled,
                kept,
                windows,
                KEEPS
                        + violations.get(0)
                        + (violations.size() > 1 ? ", and " + (violations.size() - 1) + " more" : "")));
    }

    private static Candidate cut(PlanRequest request, Plan plan, Membership members) {
        return BatchCutter.cut(request, plan, members.incomingPerRank(), members.bytesPerExpert());
    }

    /**
     * The change to a placement that is wanted whatever a policy would make of the load, and whatever it brings: no policy, no budget and
     * no gate is asked. What people ask of every placement holds for this one too.
     */
    public static Verdict towards(
            PlannerSettings settings,
            Membership members,
            Placement settled,
            Constraints constraints,
            List<ExpertLoad> windows,
            PlanTarget wanted) {
        List<String> conflicts = constraints.conflicts(members.shape(), members.topology());
        if (!conflicts.isEmpty()) {
            return Verdict.Keep.because(KeepReason.CONSTRAINED, conflicts.get(0));
        }
        PlanRequest request = toBe(settings, members, settled, windows);
        Candidate candidate = cut(request, constrained(request, Plan.of(wanted.placement()), constraints), members);
        if (candidate.batches().isEmpty()) {
            return candidate.unfitting().isEmpty()
                    ? Verdict.Keep.because(
                            KeepReason.BALANCED,
                            "v" + settled.version() + " is as v"
                                    + wanted.placement().version() + " was")
                    : Verdict.Keep.because(
                            KeepReason.BUDGET,
                            "staging memory holds too little at once for layers " + candidate.unfitting());
        }
        double[][] load = request.newest().toDoubles();
        return new Verdict.Change(
                candidate,
                new Verdict.Numbers(
                        request.parts()
                                .balance(Repair.asServed(settled, members), load, members.topology())
                                .mean(),
                        request.parts()
                                .balance(Repair.asServed(candidate.target(), members), load, members.topology())
                                .mean(),
                        0,
                        0,
                        0,
                        0,
                        candidate.moves(),
                        Optional.empty()),
                wanted.reason());
    }

    /** What is asked of a placement that is given. */
    private static PlanRequest toBe(
            PlannerSettings settings, Membership members, Placement settled, List<ExpertLoad> windows) {
        return new PlanRequest(
                windows,
                settled,
                members.shape(),
                members.topology(),
                Budget.UNLIMITED,
                settings.prices(),
                Objective.TOKENS,
                members.idleSlots(),
                ReplicaParts.of(members, windows),
                settings.seed());
    }

    /**
     * What makes a placement sound that an engine has come to by itself, whatever it brings: no policy, no budget and no gate is asked, as
     * none of them knows such a placement. What people ask of every placement holds for it too; in a layer where staging memory does not
     * hold both, the rules come first, and what is asked is kept by the next decision. Empty where nothing is wrong with it.
     */
    private static Optional<Verdict> repair(
            PlannerSettings settings,
            Membership members,
            Placement settled,
            Constraints constraints,
            List<ExpertLoad> windows) {
        List<String> violations = PlacementRules.violations(settled, members.shape(), members.topology());
        if (violations.isEmpty()) {
            return Optional.empty();
        }
        List<String> lost = PlacementRules.lost(settled, members.shape());
        if (!lost.isEmpty()) {
            return Optional.of(Verdict.Keep.because(
                    KeepReason.LOST_EXPERT,
                    lost.get(0) + ": no rank can send its weights, so only a new incarnation can bring it back"));
        }
        List<String> conflicts = constraints.conflicts(members.shape(), members.topology());
        if (!conflicts.isEmpty()) {
            return Optional.of(Verdict.Keep.because(
                    KeepReason.CONSTRAINED,
                    conflicts.get(0) + "; what the engine began with waits to be mended: " + violations.get(0)));
        }
        ExpertLoad newest = windows.get(windows.size() - 1);
        Placement mended = Repair.of(settled, members.shape(), members.topology(), newest);
        // Drained ranks keep what they hold, once it is sound.
        Placement wanted =
                constraints.on(mended, mended, members.shape(), members.topology(), members.idleSlots(), newest);
        PlanRequest request = toBe(settings, members, settled, windows);
        List<Integer> unfitting = cut(request, Plan.of(wanted), members).unfitting();
        return Optional.of(must(
                settings,
                members,
                settled,
                wanted.withLayersOf(mended, unfitting),
                windows,
                MENDS
                        + violations.get(0)
                        + (violations.size() > 1 ? ", and " + (violations.size() - 1) + " more" : "")));
    }

    /** A change that is made whatever it brings, as far as staging memory lets it. */
    private static Verdict must(
            PlannerSettings settings,
            Membership members,
            Placement settled,
            Placement target,
            List<ExpertLoad> windows,
            String reason) {
        ExpertLoad newest = windows.get(windows.size() - 1);
        Candidate candidate = cut(toBe(settings, members, settled, windows), Plan.of(target), members);
        if (candidate.batches().isEmpty()) {
            return Verdict.Keep.because(
                    KeepReason.BUDGET,
                    reason + ", and staging memory holds too little at once for layers " + candidate.unfitting());
        }
        return Verdict.Change.promisingNothing(candidate, settled, members, newest, reason);
    }
}
