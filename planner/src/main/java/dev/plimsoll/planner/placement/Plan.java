package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerReason;
import dev.plimsoll.model.Placement;
import java.util.List;

/**
 * What a policy wants.
 *
 * @param target with the settled version still
 * @param layers {@code [layer]}, why; empty where a policy does not say
 */
public record Plan(Placement target, List<LayerReason> layers) {
    public Plan {
        layers = List.copyOf(layers);
        if (!layers.isEmpty() && layers.size() != target.layers()) {
            throw new IllegalArgumentException("reasons for " + layers.size() + " layers of " + target.layers());
        }
    }

    /** A plan without reasons. */
    public static Plan of(Placement target) {
        return new Plan(target, List.of());
    }
}
