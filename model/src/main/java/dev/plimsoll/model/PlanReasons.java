package dev.plimsoll.model;

import dev.plimsoll.model.LayerReason.Gain;
import dev.plimsoll.model.LayerReason.Stop;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Why a decision moves what it moves, and why it leaves the other layers alone.
 *
 * @param moved by layer that is moved or switched; a gain for every move of the layer
 * @param kept layers that are not moved, by why
 */
public record PlanReasons(SortedMap<Integer, LayerReason> moved, SortedMap<Stop, Integer> kept) {
    /** Of a policy that does not say. */
    public static final PlanReasons NONE = new PlanReasons(new TreeMap<>(), new TreeMap<>());

    public PlanReasons {
        moved = Collections.unmodifiableSortedMap(new TreeMap<>(moved));
        kept = Collections.unmodifiableSortedMap(new TreeMap<>(kept));
    }

    /** Whether nothing was said. */
    public boolean isEmpty() {
        return moved.isEmpty() && kept.isEmpty();
    }

    /**
     * The slots that are moved, by layer, in the order of the moves: what gains are about. A layer in which slots are only switched is
     * in it without a slot.
     */
    public static SortedMap<Integer, List<Integer>> slots(List<Batch> batches) {
        SortedMap<Integer, List<Integer>> slots = new TreeMap<>();
        for (Batch batch : batches) {
            for (Move move : batch.moves()) {
                slots.computeIfAbsent(move.layer().index(), none -> new ArrayList<>())
                        .add(move.slot().index());
            }
            for (Switch change : batch.switches()) {
                slots.computeIfAbsent(change.layer().index(), none -> new ArrayList<>());
            }
        }
        return slots;
    }

    /** These reasons, if they speak of exactly these moves. */
    public PlanReasons requireFor(List<Batch> batches) {
        if (isEmpty()) {
            return this;
        }
        SortedMap<Integer, List<Integer>> slots = slots(batches);
        if (!slots.keySet().equals(moved.keySet())) {
            throw new IllegalArgumentException(
                    "moves of layers " + slots.keySet() + ", reasons for layers " + moved.keySet());
        }
        moved.forEach((layer, reason) -> {
            List<Integer> said = reason.gains().stream().map(Gain::slot).toList();
            if (!said.equals(slots.get(layer))) {
                throw new IllegalArgumentException(
                        "layer " + layer + " moves slots " + slots.get(layer) + ", gains are of slots " + said);
            }
        });
        return this;
    }
}
