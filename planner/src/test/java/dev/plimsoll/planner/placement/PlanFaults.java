package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.LayerReason.Gain;
import dev.plimsoll.model.LayerReason.Stop;
import dev.plimsoll.model.PlacementRules;
import java.util.ArrayList;
import java.util.List;

/** What is wrong with plans; empty lists when nothing is. */
final class PlanFaults {
    /** Rounding of a sum of some hundred terms around 1. */
    private static final double ROUNDING = 1e-9;

    private PlanFaults() {}

    /** What must hold for the plan of any policy. */
    static List<String> ofAny(Policy policy, PlanRequest request, Plan plan) {
        List<String> faults =
                new ArrayList<>(PlacementRules.violations(plan.target(), request.shape(), request.topology()));
        if (plan.target().version() != request.settled().version()) {
            faults.add("has version " + plan.target().version() + ", settled is v"
                    + request.settled().version());
        }
        for (int layer = 0; layer < request.shape().layers(); layer++) {
            checkSlotsKept(request, plan, layer, faults);
        }
        if (!policy.plan(request).equals(plan)) {
            faults.add("is not the same twice");
        }
        return faults;
    }

    /** Nobody changes its slot without changing its rank. */
    private static void checkSlotsKept(PlanRequest request, Plan plan, int layer, List<String> faults) {
        int[] old = request.settled().layer(layer);
        int[] now = plan.target().layer(layer);
        int slotsPerRank = request.topology().slotsPerRank();
        for (int slot = 0; slot < old.length; slot++) {
            int first = slot / slotsPerRank * slotsPerRank;
            for (int held = first; held < first + slotsPerRank; held++) {
                if (now[slot] != old[slot] && now[slot] == old[held]) {
                    faults.add("layer " + layer + ": expert " + now[slot] + " goes from slot " + held + " to " + slot
                            + " of the same rank");
                }
            }
        }
    }

    /** What must hold besides where a policy keeps to the budget layer by layer and says why. */
    static List<String> ofBudgetAndReasons(PlanRequest request, Plan plan) {
        List<String> faults = new ArrayList<>();
        if (plan.layers().size() != request.shape().layers()) {
            faults.add("has reasons for " + plan.layers().size() + " layers");
            return faults;
        }
        for (int layer = 0; layer < request.shape().layers(); layer++) {
            List<Integer> changed = changed(request, plan, layer);
            checkBudget(request, layer, changed, faults);
            checkReason(plan.layers().get(layer), layer, changed, request, faults);
        }
        return faults;
    }

    static List<Integer> changed(PlanRequest request, Plan plan, int layer) {
        int[] old = request.settled().layer(layer);
        int[] now = plan.target().layer(layer);
        List<Integer> changed = new ArrayList<>();
        for (int slot = 0; slot < old.length; slot++) {
            if (old[slot] != now[slot]) {
                changed.add(slot);
            }
        }
        return changed;
    }

    private static void checkBudget(PlanRequest request, int layer, List<Integer> changed, List<String> faults) {
        if (changed.size() > request.budget().moves()) {
            faults.add("layer " + layer + ": " + changed.size() + " moves, the budget has "
                    + request.budget().moves());
        }
        int[] into = new int[request.topology().ranks()];
        for (int slot : changed) {
            if (++into[slot / request.topology().slotsPerRank()]
                    == request.budget().intoRank() + 1) {
                faults.add("layer " + layer + ": more than " + request.budget().intoRank()
                        + " experts into the rank of slot " + slot);
            }
        }
    }

    private static void checkReason(
            LayerReason reason, int layer, List<Integer> changed, PlanRequest request, List<String> faults) {
        boolean unlimited = request.budget().equals(Budget.UNLIMITED);
        List<Integer> slots = reason.gains().stream().map(Gain::slot).toList();
        double gains = reason.gains().stream().mapToDouble(Gain::balancedness).sum();
        boolean idle = request.windows().stream().noneMatch(window -> sum(window.layer(layer)) > 0);
        if (!slots.equals(changed)) {
            faults.add("layer " + layer + ": gains for slots " + slots + ", changed are " + changed);
        }
        // Written so that a value that is no number is a fault too.
        if (!(reason.before() > 0
                && reason.before() <= 1 + ROUNDING
                && reason.predicted() >= reason.before() - ROUNDING
                && reason.bound() <= 1 + ROUNDING
                && reason.predicted() <= reason.bound()
                && reason.refused() >= 0
                && reason.refused() <= 1 + ROUNDING)) {
            faults.add("layer " + layer + ": numbers out of order in " + reason);
        }
        if (!(Math.abs(gains - (reason.predicted() - reason.before())) <= ROUNDING || changed.isEmpty())) {
            faults.add("layer " + layer + ": the gains are not what is gained in " + reason);
        }
        if (idle != (reason.stop() == Stop.UNLOADED) || (unlimited && reason.stop() == Stop.BUDGET)) {
            faults.add("layer " + layer + ": stops for the wrong reason in " + reason);
        }
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }
}
