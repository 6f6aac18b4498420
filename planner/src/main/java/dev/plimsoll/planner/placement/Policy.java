package dev.plimsoll.planner.placement;

import java.util.ArrayList;
import java.util.List;

/**
 * A way to place experts: a pure function from past windows and the settled placement to a new one, layer by layer.
 *
 * <p>A layer's plan does not depend on the other layers' plans, so they may be made in any order and on any thread. The result
 * has the settled version still, is valid by {@link dev.plimsoll.model.PlacementRules}, and keeps in its slot what it keeps on
 * its rank: every slot that differs is a transfer of weights. Same request, same bytes, on any JVM and thread.
 */
public interface Policy {
    /** The names that {@link #named} knows; it knows {@code rotation} too, which is for trying out decisions and not for balance. */
    List<String> NAMES =
            List.of("plimsoll", "deepseek", "deepseek-hierarchical", "swift", "flashlb", "static", "random");

    /** The name it is chosen by and reported under. */
    String name();

    /** The plan of one layer; safe to be called by several threads at once. */
    LayerPlan plan(PlanRequest request, int layer);

    /**
     * The request with all left out that the policy's plans do not depend on: requests of which that is equal have equal plans. All of it, unless
     * a policy says otherwise.
     */
    default PlanRequest lookedAt(PlanRequest request) {
        return request;
    }

    /** Whether a plan is carried out only where it pays; a policy that says no has every change carried out, whatever it brings. */
    default boolean asksTheGate() {
        return true;
    }

    /** The plan of all layers. */
    default Plan plan(PlanRequest request) {
        List<LayerPlan> layers = new ArrayList<>();
        for (int layer = 0; layer < request.shape().layers(); layer++) {
            layers.add(plan(request, layer));
        }
        return Plan.of(request, layers);
    }

    /** The policy of that name, with its defaults. */
    static Policy named(String name) {
        return switch (name) {
            case "plimsoll" -> new PlimsollPolicy(PlimsollPolicy.Settings.DEFAULTS);
            case "deepseek" -> new DeepSeekPolicy();
            case "deepseek-hierarchical" -> new DeepSeekHierarchicalPolicy(DeepSeekHierarchicalPolicy.GROUPS);
            case "swift" -> new SwiftPolicy();
            case "flashlb" -> new FlashLbPolicy();
            case "static" -> new StaticPolicy();
            case "random" -> new RandomPolicy();
            case RotationPolicy.NAME -> new RotationPolicy();
            default -> throw new IllegalArgumentException("no policy '" + name + "': choose one of " + NAMES);
        };
    }
}
