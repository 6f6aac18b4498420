package dev.plimsoll.replay.format.placement;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Topology;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.LayerNumbering;
import dev.plimsoll.replay.format.Recording;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What a file of a placement says beside the placement.
 *
 * @param layers with experts
 * @param experts per layer
 * @param layerIds the model's own number of each layer with experts, where that is known
 * @param hiddenLayers layers of the model, those without experts too, where that is known
 * @param modelKey the model's class, where a file must name it
 * @param load {@code [layer][expert]} that the placement was made of, for formats that have a place for it
 */
public record PlacementTarget(
        int layers,
        int experts,
        Topology topology,
        Optional<List<Integer>> layerIds,
        OptionalInt hiddenLayers,
        Optional<String> modelKey,
        Optional<long[][]> load) {
    public PlacementTarget {
        layerIds = layerIds.map(List::copyOf);
        if (layers < 1 || experts < 1 || layerIds.map(List::size).orElse(layers) != layers) {
            throw new IllegalArgumentException(layers + " layers of " + experts + " experts, with numbers " + layerIds);
        }
    }

    /** A deployment's: its membership has the model's own layer numbers. */
    public static PlacementTarget of(Membership members, Given given) {
        return new PlacementTarget(
                members.shape().layers(),
                members.shape().experts(),
                members.topology(),
                Optional.of(members.shape().layerIds()),
                given.hiddenLayers(),
                given.modelKey(),
                Optional.empty());
    }

    /** A recording's: what it does not say, and was not given, is missing until a kind of file needs it. */
    public static PlacementTarget of(Recording recording, Topology topology, Given given) {
        return new PlacementTarget(
                recording.layerIds().size(),
                recording.experts(),
                topology,
                recording.modelLayerIds().or(given::layerIds),
                recording.hiddenLayers().isPresent() ? recording.hiddenLayers() : given.hiddenLayers(),
                given.modelKey(),
                recording.frames().isEmpty() ? Optional.empty() : Optional.of(recording.totals()));
    }

    Given given() {
        return new Given(
                OptionalInt.of(topology.ranks()),
                OptionalInt.of(experts),
                OptionalInt.empty(),
                layerIds,
                hiddenLayers,
                modelKey);
    }

    LayerNumbering numbering() {
        return layerIds.isPresent() ? LayerNumbering.ABSOLUTE : LayerNumbering.MOE_ONLY;
    }

    List<Integer> numbers() {
        return layerIds.orElseGet(() -> IntStream.range(0, layers).boxed().toList());
    }
}
