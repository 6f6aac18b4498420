package dev.plimsoll.replay.format;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What was said of a recording beside it: what its format does not say, which is asked for by name and never guessed.
 *
 * @param ranks of the group ({@code --ranks})
 * @param experts logical experts per layer ({@code --experts})
 * @param topK experts per token ({@code --top-k})
 * @param layerIds the model's own number of each layer with experts ({@code --layer-ids})
 * @param hiddenLayers layers of the model, those without experts too ({@code --hidden-layers})
 * @param modelKey which model, where a file holds maps of several ({@code --model-key})
 */
public record Given(
        OptionalInt ranks,
        OptionalInt experts,
        OptionalInt topK,
        Optional<List<Integer>> layerIds,
        OptionalInt hiddenLayers,
        Optional<String> modelKey) {
    /** Nothing was said. */
    public static final Given NOTHING =
            new Given(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty());

    public Given {
        layerIds = layerIds.map(List::copyOf);
    }

    public Given(OptionalInt ranks, OptionalInt experts, OptionalInt topK, Optional<List<Integer>> layerIds) {
        this(ranks, experts, topK, layerIds, OptionalInt.empty(), Optional.empty());
    }

    public Given withRanks(int count) {
        return new Given(OptionalInt.of(count), experts, topK, layerIds, hiddenLayers, modelKey);
    }

    public Given withExperts(int count) {
        return new Given(ranks, OptionalInt.of(count), topK, layerIds, hiddenLayers, modelKey);
    }

    public Given withTopK(int count) {
        return new Given(ranks, experts, OptionalInt.of(count), layerIds, hiddenLayers, modelKey);
    }

    public Given withLayerIds(List<Integer> ids) {
        return new Given(ranks, experts, topK, Optional.of(ids), hiddenLayers, modelKey);
    }

    public Given withHiddenLayers(int count) {
        return new Given(ranks, experts, topK, layerIds, OptionalInt.of(count), modelKey);
    }

    public Given withModelKey(String key) {
        return new Given(ranks, experts, topK, layerIds, hiddenLayers, Optional.of(key));
    }
}
