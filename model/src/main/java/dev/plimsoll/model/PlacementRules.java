package dev.plimsoll.model;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The independent check of placements and decisions: run by the planner before it proposes and by every rank before it accepts.
 *
 * <p>Shares no code with any planner. Nothing is repaired here: one fault and the whole plan is refused. Valid is a placement of the right
 * shape in which every expert of every layer has at least one slot and no rank holds an expert twice in a layer.
 */
public final class PlacementRules {
    private static final int MOST_VIOLATIONS = 20;

    private PlacementRules() {}

    /** What is wrong with a placement, at most 20 lines; empty when it may be served. */
    public static List<String> violations(Placement placement, ModelShape shape, Topology topology) {
        List<String> found = new ArrayList<>();
        if (placement.layers() != shape.layers() || placement.slots() != topology.slots()) {
            found.add("shape is " + placement.layers() + " layers × " + placement.slots() + " slots, must be "
                    + shape.layers() + " × " + topology.slots());
            return found;
        }
        for (int layer = 0; layer < placement.layers() && found.size() < MOST_VIOLATIONS; layer++) {
            layerViolations(placement.layer(layer), layer, shape, topology, found);
        }
        return found;
    }

    private static void layerViolations(
            int[] expertOfSlot, int layer, ModelShape shape, Topology topology, List<String> found) {
        BitSet served = new BitSet(shape.experts());
        for (int rank = 0; rank < topology.ranks(); rank++) {
            BitSet onRank = new BitSet(shape.experts());
            for (int local = 0; local < topology.slotsPerRank(); local++) {
                int slot = rank * topology.slotsPerRank() + local;
                int expert = expertOfSlot[slot];
                if (expert < 0 || expert >= shape.experts()) {
                    found.add(
                            "layer " + layer + " slot " + slot + " holds expert " + expert + " of " + shape.experts());
                } else if (onRank.get(expert)) {
                    found.add("layer " + layer + " rank " + rank + " holds expert " + expert + " twice");
                } else {
                    onRank.set(expert);
                    served.set(expert);
                }
            }
        }
        for (int expert = served.nextClearBit(0); expert < shape.experts(); expert = served.nextClearBit(expert + 1)) {
            found.add("layer " + layer + " has no slot for expert " + expert);
        }
    }

    /**
     * What is wrong with a decision: its moves against the placement they start from, its batches against staging memory, its
     * result against {@link #violations(Placement, ModelShape, Topology)} after every batch, its hash.
     */
    public static List<String> violations(PlanCommand.Propose propose, Placement settled, Membership members) {
        List<String> found = new ArrayList<>();
        if (propose.basedOn() != settled.version()) {
            found.add("decision " + propose.epoch() + " is based on v" + propose.basedOn() + ", settled is v"
                    + settled.version());
            return found;
        }
        if (propose.epoch() <= settled.version()) {
            found.add("epoch " + propose.epoch() + " must be above the settled version " + settled.version());
        }
        BitSet layersBefore = new BitSet();
        Placement result = settled;
        for (int i = 0; i < propose.batches().size() && found.size() < MOST_VIOLATIONS; i++) {
            Batch batch = propose.batches().get(i);
            if (batch.number() != i + 1) {
                found.add("batch number " + batch.number() + " at place " + (i + 1));
            }
            if (!movesAreSound(batch, settled, members, layersBefore, found)) {
                return found;
            }
            result = result.with(propose.epoch(), batch.moves());
            found.addAll(violations(result, members.shape(), members.topology()));
        }
        if (found.isEmpty() && result.hash() != propose.planHash()) {
            found.add(String.format(
                    "the moves of decision %d lead to hash %016x, it promises %016x",
                    propose.epoch(), result.hash(), propose.planHash()));
        }
        return found;
    }

    private static boolean movesAreSound(
            Batch batch, Placement settled, Membership members, BitSet layersBefore, List<String> found) {
        Topology topology = members.topology();
        int[] incoming = new int[topology.ranks()];
        BitSet layers = new BitSet();
        for (Move move : batch.moves()) {
            int layer = move.layer().index();
            if (layer >= settled.layers()
                    || move.slot().index() >= settled.slots()
                    || move.source().index() >= settled.slots()
                    || move.expert().index() >= members.shape().experts()) {
                found.add("out of bounds: " + move);
                return false;
            }
            if (layersBefore.get(layer)) {
                found.add("layer " + layer + " is in more than one batch");
            }
            layers.set(layer);
            if (!settled.expert(move.layer(), move.source()).equals(move.expert())) {
                found.add(move.source() + " of " + move.layer() + " does not hold " + move.expert());
            }
            if (settled.expert(move.layer(), move.slot()).equals(move.expert())) {
                found.add(move.slot() + " of " + move.layer() + " holds " + move.expert() + " already");
            }
            if (++incoming[topology.rankOf(move.slot()).index()] == members.stagedExpertsPerRank() + 1) {
                found.add("batch " + batch.number() + " brings more than " + members.stagedExpertsPerRank()
                        + " experts to " + topology.rankOf(move.slot()));
            }
        }
        layersBefore.or(layers);
        return found.isEmpty();
    }
}
