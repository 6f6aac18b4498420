package dev.plimsoll.device;

import java.util.List;
import java.util.Optional;

/**
 * What an engine offers of one rank so that its weights can be moved and its map flipped. Implemented by engines, called on the
 * engine's dispatch thread only.
 */
public interface EngineRank {
    /** The stream that the rank's steps run on. */
    Stream computeStream();

    /**
     * What this rank's steps have taken up to the boundary that begins now, by the engine's own account: asked at every boundary, before
     * anything else. Empty, as long as it always is: the library measures the time between boundaries on the dispatch thread.
     */
    default Optional<StepClock> stepClock() {
        return Optional.empty();
    }

    /** Where the weights of this rank's slots are: the tensors of every layer, of the same sizes in all of them. */
    List<WeightTensor> weights();

    /** Bytes of one expert's weights in one layer. */
    default long bytesPerExpert() {
        return weights().stream()
                .filter(tensor -> tensor.layer() == 0)
                .mapToLong(WeightTensor::bytes)
                .sum();
    }

    /**
     * Enqueues on the compute stream that from here on this rank routes by other experts in some slots of a layer, or sends nothing to
     * some and something to others again. The slots are those of the whole deployment, for every rank routes to every slot; the
     * weights have been enqueued before. All of it takes effect at once, between two steps. The arrays are the engine's from now on.
     *
     * @param slots global slots that change
     * @param experts {@code [i]} the expert that {@code slots[i]} holds from here on
     * @param inUse {@code [i]} whether tokens are sent to {@code slots[i]} from here on; where not, the slot stands idle
     */
    void flipMap(int layer, int[] slots, int[] experts, boolean[] inUse);

    /**
     * Begins to move all experts of a map to their slots by the engine's own means: called of engines only that say they do. Steps go on
     * meanwhile, under whatever maps the engine has.
     *
     * @param experts {@code [layer][slot]} flattened, of the whole deployment
     */
    default void move(int[] experts) {
        throw new UnsupportedOperationException("this engine leaves it to others to move its weights");
    }

    /** The map read back once the engine has moved, as in {@link #move}, once; empty before. Asked at every boundary. */
    default Optional<int[]> moved() {
        return Optional.empty();
    }
}
