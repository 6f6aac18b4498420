package dev.plimsoll.replay.source;

import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.SettledPlacement;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The settled placement of an incarnation, put together from the records of its layers: the newest version of which all layers are
 * there and say the same hash, which is theirs. For one thread.
 */
public final class SettledLayers {
    private final Membership members;
    private final TreeMap<Integer, Map<Integer, SettledPlacement>> versions = new TreeMap<>();

    public SettledLayers(Membership members) {
        this.members = members;
    }

    /** Takes a record, in the order of the topic; those of other incarnations or shapes are passed over. */
    public void add(SettledPlacement record) {
        if (record.incarnation() != members.incarnation()
                || record.layers() != members.shape().layers()
                || record.experts().size() != members.topology().slots()) {
            return;
        }
        versions.computeIfAbsent(record.version(), version -> new TreeMap<>()).put(record.layer(), record);
        if (whole(record.version()).isPresent()) {
            versions.headMap(record.version()).clear();
        }
    }

    /** Empty when none is whole. */
    public Optional<Placement> newest() {
        return versions.descendingKeySet().stream()
                .flatMap(version -> whole(version).stream())
                .findFirst();
    }

    /** The newest version of which anything is there, whole or not. */
    public OptionalInt newestVersion() {
        return versions.isEmpty() ? OptionalInt.empty() : OptionalInt.of(versions.lastKey());
    }

    private Optional<Placement> whole(int version) {
        Map<Integer, SettledPlacement> layers = versions.getOrDefault(version, Map.of());
        if (layers.size() != members.shape().layers()) {
            return Optional.empty();
        }
        int[][] experts = new int[layers.size()][];
        BitSet[] idle = new BitSet[experts.length];
        for (SettledPlacement layer : layers.values()) {
            experts[layer.layer()] = ints(layer.experts());
            idle[layer.layer()] = layer.idleSlots();
        }
        Placement placement = Placement.of(version, experts, idle);
        return layers.values().stream().allMatch(layer -> layer.placementHash() == placement.hash())
                ? Optional.of(placement)
                : Optional.empty();
    }

    private static int[] ints(LongVector values) {
        int[] ints = new int[values.size()];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = Math.toIntExact(values.at(i));
        }
        return ints;
    }
}
