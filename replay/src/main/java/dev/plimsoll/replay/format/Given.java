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
 */
public record Given(OptionalInt ranks, OptionalInt experts, OptionalInt topK, Optional<List<Integer>> layerIds) {
    /** Nothing was said. */
    public static final Given NOTHING =
            new Given(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty());

    public Given {
        layerIds = layerIds.map(List::copyOf);
    }
}
