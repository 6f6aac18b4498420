package dev.plimsoll.replay.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What words of the page mean. */
final class Words {
    /** In the order in which they are read. */
    static final Map<String, String> DEFINITIONS = ordered(
            "Balancedness",
            "Mean rank load ÷ max rank load of a layer, above 0 and at most 1; 1 is perfectly even. Over layers: the mean over layers with"
                    + " load, and the worst layer. Layers without load are left out.",
            "Load",
            "Tokens computed, counted as top-k assignments, not as unique tokens. An expert with several replicas has its tokens spread"
                    + " evenly over them.",
            "Fair share",
            "The mean of the layer: what every expert or rank would have if all had the same. The colours of the matrix are powers of two"
                    + " around it. What has no load at all has a colour of its own; what is not known is hatched, and never counts as 0.",
            "Busiest ranks",
            "Load of the busiest rank of each layer, added up over layers. All ranks wait for it, so step time follows it.",
            "Predicted, measured, without",
            "Predicted: balancedness that was promised when the decision was made. Measured: what whole windows under it had until the next"
                    + " one, on average. Without: what those same windows would have had under the placement before. Gain: by how much"
                    + " less their busiest ranks, or by a device profile their experts, had to do with it than without.",
            "Moves, bytes",
            "Slots that get another expert, and the weights that ranks must fetch for that.",
            "Other tools' numbers",
            "Per layer, with b our balancedness: PAR and imbalance of vllm-ascend are 1 ÷ b; TensorRT-LLM's imbalance ratio is 1 ÷ b − 1;"
                    + " SGLang's balancedness is b. Convert each layer before averaging: the inverse of a mean is not the mean of the"
                    + " inverses.",
            "What a replay assumes",
            "Which experts the router picked does not depend on where they were, so the same tokens are counted under every policy. Time"
                    + " is not replayed: faster steps would have taken in more requests.");

    /** The planner's reasons to keep a placement, by name. */
    static final Map<String, String> REASONS = ordered(
            "COLD", "Too few complete windows yet to plan from and to check the plan.",
            "INCOMPLETE", "The newest window is not complete.",
            "NOT_CONSERVED", "A layer computed other tokens than were routed to it.",
            "UNKNOWN_STATE", "The window was measured under a placement that the plan log does not explain.",
            "IN_FLIGHT", "A decision was being carried out.",
            "COOLDOWN", "Too few windows since the last decision.",
            "BACK_OFF", "Decisions had come to nothing, one after another, so the next had to wait.",
            "OBSERVE_ONLY", "The ranks could not vote, so nothing was decided.",
            "QUARANTINED", "Ranks disagreed about their placement; nothing is decided until they restart.",
            "BALANCED", "The policy wanted no change: even enough, or moves that do not pay.",
            "BUDGET", "The budget of moves or memory left nothing of the change.",
            "GAIN", "The newest window did not show the least gain that is asked for.",
            "HELD_OUT", "A plan made without the newest window did not show the least gain on it.",
            "COST", "The gain did not pay for transfers and flips.",
            "INVALID", "The independent rules found the plan wrong.",
            "ERROR", "The policy failed.",
            "TIMEOUT", "The plan was not made in time.");

    private Words() {}

    private static Map<String, String> ordered(String... pairs) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return Collections.unmodifiableMap(map);
    }
}
