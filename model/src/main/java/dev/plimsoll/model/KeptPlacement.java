package dev.plimsoll.model;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * One deployment's settled placement as it is kept: a record for every layer, the newest of each. What an incarnation with more layers has
 * left there for ever is not of it. For one thread.
 */
public final class KeptPlacement {
    private final TreeMap<Integer, SettledPlacement> layers = new TreeMap<>();

    /** Takes a record, in the order in which they are kept. */
    public void add(SettledPlacement layer) {
        if (!layers.isEmpty()) {
            long incarnation = layers.firstEntry().getValue().incarnation();
            if (layer.incarnation() < incarnation) {
                return;
            }
            if (layer.incarnation() > incarnation) {
                layers.clear();
            }
        }
        layers.put(layer.layer(), layer);
    }

    /** In the order of layers. */
    public List<SettledPlacement> layers() {
        return List.copyOf(layers.values());
    }

    /** The incarnation that it is of; empty where layers are missing, or of several versions. */
    public OptionalLong incarnation() {
        return isWhole() ? OptionalLong.of(layers.firstEntry().getValue().incarnation()) : OptionalLong.empty();
    }

    private boolean isWhole() {
        if (layers.isEmpty()) {
            return false;
        }
        SettledPlacement first = layers.firstEntry().getValue();
        return layers.values().stream()
                .allMatch(layer -> layer.layers() == layers.size()
                        && layer.version() == first.version()
                        && layer.placementHash() == first.placementHash());
    }

    /** From where the plan log is to be read, which all layers say alike; empty where they do not. */
    public Optional<PlanRestart> restart() {
        List<Optional<PlanRestart>> said = layers.values().stream()
                .map(layer -> layer.restart().map(PlanRestart::ofAllLayers))
                .distinct()
                .toList();
        return said.size() == 1 && isWhole() ? said.get(0) : Optional.empty();
    }

    /** What was settled there; empty where {@link #restart} is. */
    public Optional<Placement> before() {
        return restart()
                .map(restart -> Placement.ofMarked(
                        restart.version(),
                        layers.values().stream()
                                .map(SettledPlacement::markedBefore)
                                .toArray(int[][]::new)));
    }

    /** What is settled, where it is that version. */
    public Optional<Placement> at(int version) {
        return isWhole() && layers.firstEntry().getValue().version() == version
                ? Optional.of(Placement.ofMarked(
                        version,
                        layers.values().stream().map(SettledPlacement::marked).toArray(int[][]::new)))
                : Optional.empty();
    }
}
