package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.replay.result.PolicyRun;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The past of one incarnation of a deployment, read once from its beginning to its end; holds no more than a few windows at a time,
 * however long it is.
 *
 * <p>For one thread. Whoever needs a further pass opens it again: the same inputs give the same windows.
 */
public interface History extends AutoCloseable {
    /** Who took part: shape, topology, steps of a window, bytes of an expert (1 where the source does not know), room for weights. */
    Membership members();

    /** Whether the source knows how many bytes an expert has, and so {@link Membership#bytesPerExpert} means anything. */
    boolean expertBytesKnown();

    /** What was served when the first window began, under the version that it had; the initial one where the source does not say. */
    Placement placement();

    /** About how many windows there are, where that is known before all are read. */
    OptionalInt windows();

    /**
     * The next window, oldest first, those that cannot be used too; empty at the end.
     *
     * @throws IOException when the source cannot be read further, or is not what it was: says what and what to do
     */
    Optional<HistoryWindow> next() throws IOException;

    /** What was decided when it happened; asked after the last window. Empty where the source has no decisions. */
    default Optional<PolicyRun> live() {
        return Optional.empty();
    }

    /** The model's own number of each layer with experts, where the source or who opened it says so. */
    default Optional<List<Integer>> modelLayerIds() {
        return Optional.of(members().shape().layerIds());
    }

    /** Layers of the model, those without experts too, where the source or who opened it says so. */
    default OptionalInt hiddenLayers() {
        return OptionalInt.empty();
    }

    /** One line for people: topics of a deployment with offsets, or a file and its format. */
    String source();

    /** What is read, each with what tells whether it is the same; the keys in the order of reading. Known before the first window. */
    Map<String, String> inputs();

    /** What a person must know to read the numbers right, one line each; asked after the last window. */
    List<String> notes();

    @Override
    void close();
}
