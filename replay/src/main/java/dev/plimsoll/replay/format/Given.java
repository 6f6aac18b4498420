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
 * @param map that load of slots was counted under ({@code --map})
 */
public record Given(
        OptionalInt ranks,
        OptionalInt experts,
        OptionalInt topK,
        Optional<List<Integer>> layerIds,
        OptionalInt hiddenLayers,
        Optional<String> modelKey,
        Optional<GivenMap> map) {
    /** Nothing was said. */
    public static final Given NOTHING =
            new Given(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty());

    public Given {
        layerIds = layerIds.map(List::copyOf);
    }

    public Given(OptionalInt ranks, OptionalInt experts, OptionalInt topK, Optional<List<Integer>> layerIds) {
        this(ranks, experts, topK, layerIds, OptionalInt.empty(), Optional.empty(), Optional.empty());
    }

    public Given(
            OptionalInt ranks,
            OptionalInt experts,
            OptionalInt topK,
            Optional<List<Integer>> layerIds,
            OptionalInt hiddenLayers,
            Optional<String> modelKey) {
        this(ranks, experts, topK, layerIds, hiddenLayers, modelKey, Optional.empty());
    }

    public Given withRanks(int count) {
        return new Given(OptionalInt.of(count), experts, topK, layerIds, hiddenLayers, modelKey, map);
    }

    public Given withExperts(int count) {
        return new Given(ranks, OptionalInt.of(count), topK, layerIds, hiddenLayers, modelKey, map);
    }

    public Given withTopK(int count) {
        return new Given(ranks, experts, OptionalInt.of(count), layerIds, hiddenLayers, modelKey, map);
    }

    public Given withLayerIds(List<Integer> ids) {
        return new Given(ranks, experts, topK, Optional.of(ids), hiddenLayers, modelKey, map);
    }

    public Given withHiddenLayers(int count) {
        return new Given(ranks, experts, topK, layerIds, OptionalInt.of(count), modelKey, map);
    }

    public Given withModelKey(String key) {
        return new Given(ranks, experts, topK, layerIds, hiddenLayers, Optional.of(key), map);
    }

    public Given withMap(GivenMap known) {
        return new Given(ranks, experts, topK, layerIds, hiddenLayers, modelKey, Optional.of(known));
    }

    /** Refuses a file that says another number of ranks than was given. */
    public void requireRanks(String file, int there) throws FormatException {
        if (ranks.isPresent() && ranks.getAsInt() != there) {
            throw new FormatException(file, 0, "is of " + there + " ranks, --ranks is " + ranks.getAsInt());
        }
    }

    /** Refuses a file that has another number of experts than was given. */
    public void requireExperts(String file, int there) throws FormatException {
        if (experts.isPresent() && experts.getAsInt() != there) {
            throw new FormatException(
                    file, 0, "has " + there + " experts in a layer, --experts is " + experts.getAsInt());
        }
    }
}
