package dev.plimsoll.model;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What balancing has to know of a model.
 *
 * @param name the model's name, for people
 * @param experts logical experts per layer
 * @param topK experts that the router picks per token
 * @param layerIds the model's own number of each mixture-of-experts layer, ascending; at most {@value #MOST_LAYERS} of them, not
 *     necessarily one after the other
 */
public record ModelShape(String name, int experts, int topK, List<Integer> layerIds) {
    /** Most mixture-of-experts layers; far beyond any model, small enough to allocate for whatever a record claims. */
    public static final int MOST_LAYERS = 4096;

    public ModelShape {
        layerIds = List.copyOf(layerIds);
        if (name.isBlank()) {
            throw new IllegalArgumentException("a model needs a name");
        }
        if (experts < 1 || topK < 1 || topK > experts) {
            throw new IllegalArgumentException("experts=" + experts + " topK=" + topK + ": need 1 <= topK <= experts");
        }
        if (layerIds.isEmpty()) {
            throw new IllegalArgumentException("model '" + name + "' has no mixture-of-experts layer");
        }
        requireFew(layerIds.size());
        for (int i = 0; i < layerIds.size(); i++) {
            if (layerIds.get(i) < 0 || (i > 0 && layerIds.get(i) <= layerIds.get(i - 1))) {
                throw new IllegalArgumentException("layer ids must ascend from 0: " + layerIds);
            }
        }
    }

    /** A model whose first {@code denseLayers} layers have no experts. */
    public static ModelShape of(String name, int experts, int topK, int denseLayers, int layers) {
        requireFew(layers); // before the list is made
        return new ModelShape(
                name,
                experts,
                topK,
                IntStream.range(0, layers)
                        .map(layer -> Math.addExact(denseLayers, layer))
                        .boxed()
                        .toList());
    }

    private static void requireFew(int layers) {
        if (layers > MOST_LAYERS) {
            throw new IllegalArgumentException(layers + " mixture-of-experts layers: at most " + MOST_LAYERS);
        }
    }

    /** Number of mixture-of-experts layers. */
    public int layers() {
        return layerIds.size();
    }
}
