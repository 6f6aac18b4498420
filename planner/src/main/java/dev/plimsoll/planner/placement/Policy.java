package dev.plimsoll.planner.placement;

import java.util.List;

/**
 * A way to place experts: a pure function from past windows and the settled placement to a new one.
 *
 * <p>The result has the settled version still, is valid by {@link dev.plimsoll.model.PlacementRules}, and keeps in its slot what
 * it keeps on its rank: every slot that differs is a transfer of weights. Same request, same bytes, on any JVM and thread.
 */
public interface Policy {
    /** The names that {@link #named} knows. */
    List<String> NAMES = List.of("greedy", "deepseek", "deepseek-hierarchical", "swift", "flashlb", "static", "random");

    /** The name it is chosen by and reported under. */
    String name();

    Plan plan(PlanRequest request);

    /** The policy of that name, with its defaults. */
    static Policy named(String name) {
        return switch (name) {
            case "greedy" -> new GreedyPolicy();
            case "deepseek" -> new DeepSeekPolicy();
            case "deepseek-hierarchical" -> new DeepSeekHierarchicalPolicy(DeepSeekHierarchicalPolicy.GROUPS);
            case "swift" -> new SwiftPolicy();
            case "flashlb" -> new FlashLbPolicy();
            case "static" -> new StaticPolicy();
            case "random" -> new RandomPolicy();
            default -> throw new IllegalArgumentException("no policy '" + name + "': choose one of " + NAMES);
        };
    }
}
