package dev.plimsoll.planner.placement;

import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What people ask of every placement: pinned experts have a slot in use on their rank, and nothing depends on a drained rank.
 *
 * <p>On a drained rank no expert has its only slot in use; where slots may stand idle, all of its slots do. It is sent no weights and keeps
 * those that it has, so that it stays a source, and comes back without a transfer.
 *
 * <p>Pure. {@link #conflicts} says whether a deployment can keep them at all, {@link #violations} whether a placement does, {@link #on}
 * makes one that does of one that need not.
 *
 * @param pins of ranks, layers and experts that the deployment has
 * @param drained ranks that it has
 */
public record Constraints(SortedSet<Pin> pins, SortedSet<RankId> drained) {
    /** Nobody asks for anything. */
    public static final Constraints NONE = new Constraints(new TreeSet<>(), new TreeSet<>());

    /** What the reason of a decision has in it that was made to keep some. */
    public static final String KEPT = "keeps by request ";

    private static final int MOST_LINES = 20;

    /** An expert that has a slot in use on a rank, whatever is planned; it may have others. */
    public record Pin(LayerId layer, ExpertId expert, RankId rank) implements Comparable<Pin> {
        private static final Comparator<Pin> ORDER = Comparator.comparing(Pin::layer)
                .thenComparing(Pin::rank)
                .thenComparingInt(pin -> pin.expert().index());

        @Override
        public int compareTo(Pin other) {
            return ORDER.compare(this, other);
        }

        /** Such as {@code expert 5 of layer 2 on rank 3}. */
        @Override
        public String toString() {
            return "expert " + expert.index() + " of " + layer + " on " + rank;
        }
    }

    public Constraints {
        pins = Collections.unmodifiableSortedSet(new TreeSet<>(pins));
        drained = Collections.unmodifiableSortedSet(new TreeSet<>(drained));
    }

    public boolean isEmpty() {
        return pins.isEmpty() && drained.isEmpty();
    }

    /** For the reason of a decision: such as {@code keeps by request 2 pins, 1 drains}. */
    public String summary() {
        return KEPT + pins.size() + " pins, " + drained.size() + " drains";
    }

    /** Why no placement can keep all of them, about 20 lines at most; empty where one can. */
    public List<String> conflicts(ModelShape shape, Topology topology) {
        List<String> found = new ArrayList<>();
        for (Pin pin : pins) {
            if (drained.contains(pin.rank())) {
                found.add(pin.rank() + " is drained, and " + pin + " is pinned");
            }
        }
        int serving = topology.ranks() - drained.size();
        int slots = serving * topology.slotsPerRank();
        if (slots < shape.experts()) {
            found.add("with " + names(drained) + " drained, the other " + serving + " ranks have " + slots
                    + " slots in a layer, for " + shape.experts() + " experts");
            return found;
        }
        TreeMap<LayerId, Set<Pin>> byLayer = new TreeMap<>();
        pins.forEach(pin ->
                byLayer.computeIfAbsent(pin.layer(), none -> new TreeSet<>()).add(pin));
        byLayer.forEach((layer, ofLayer) -> {
            if (found.size() < MOST_LINES) {
                conflicts(layer, ofLayer, slots, shape, topology, found);
            }
        });
        return found;
    }

    private static void conflicts(
            LayerId layer, Set<Pin> pins, int slots, ModelShape shape, Topology topology, List<String> found) {
        TreeMap<RankId, Integer> ofRank = new TreeMap<>();
        Set<ExpertId> pinned = new HashSet<>();
        for (Pin pin : pins) {
            ofRank.merge(pin.rank(), 1, Integer::sum);
            pinned.add(pin.expert());
        }
        ofRank.forEach((rank, count) -> {
            if (count > topology.slotsPerRank()) {
                found.add(count + " experts of " + layer + " are pinned to " + rank + ", which has "
                        + topology.slotsPerRank() + " slots");
            }
        });
        int left = slots - pins.size();
        int others = shape.experts() - pinned.size();
        if (left < others) {
            found.add("in " + layer + " " + pins.size() + " pins leave " + left + " of " + slots + " slots for "
                    + others + " experts that are pinned nowhere");
        }
    }

    /** What of them a placement does not keep, about 20 lines at most; empty where it keeps all. */
    public List<String> violations(Placement placement, ModelShape shape, Topology topology, boolean idleSlots) {
        List<String> found = new ArrayList<>();
        for (Pin pin : pins) {
            int first = pin.rank().index() * topology.slotsPerRank();
            int[] inUse = placement.inUse(pin.layer().index());
            boolean there = false;
            for (int slot = first; slot < first + topology.slotsPerRank(); slot++) {
                there |= inUse[slot] == pin.expert().index();
            }
            if (!there && found.size() < MOST_LINES) {
                found.add("pinned is " + pin + ", which has no slot in use for it");
            }
        }
        for (int layer = 0; layer < placement.layers() && !drained.isEmpty(); layer++) {
            if (found.size() < MOST_LINES) {
                undrained(placement.inUse(layer), layer, shape, topology, idleSlots, found);
            }
        }
        return found;
    }

    private void undrained(
            int[] inUse, int layer, ModelShape shape, Topology topology, boolean idleSlots, List<String> found) {
        BitSet elsewhere = new BitSet(shape.experts());
        TreeMap<RankId, Integer> used = new TreeMap<>();
        for (int slot = 0; slot < inUse.length; slot++) {
            RankId rank = new RankId(slot / topology.slotsPerRank());
            if (inUse[slot] < 0) {
                continue;
            }
            if (drained.contains(rank)) {
                used.merge(rank, 1, Integer::sum);
            } else {
                elsewhere.set(inUse[slot]);
            }
        }
        int only = shape.experts() - elsewhere.cardinality();
        if (only > 0) {
            found.add("layer " + layer + " has " + only + " experts on " + names(drained)
                    + " alone, and that is drained");
        } else if (idleSlots && !used.isEmpty()) {
            found.add("drained " + used.firstKey() + " has " + used.get(used.firstKey()) + " slots in use in layer "
                    + layer);
        }
    }

    private static String names(SortedSet<RankId> ranks) {
        return ranks.size() == 1
                ? ranks.first().toString()
                : "ranks "
                        + String.join(
                                ", ",
                                ranks.stream().map(rank -> "" + rank.index()).toList());
    }

    /**
     * A target that keeps them, with few slots changed: one for every pin and every expert that lacks its slot, and one more for every
     * expert that makes room for a pin and had no other slot.
     *
     * @param settled what ranks serve, valid; drained ranks keep what they hold in it
     * @param target what is wanted, valid
     * @param load what experts got, by which slots are chosen between
     * @throws IllegalArgumentException where there are {@link #conflicts}
     */
    public Placement on(
            Placement settled,
            Placement target,
            ModelShape shape,
            Topology topology,
            boolean idleSlots,
            ExpertLoad load) {
        if (isEmpty()) {
            return target;
        }
        List<String> conflicts = conflicts(shape, topology);
        if (!conflicts.isEmpty()) {
            throw new IllegalArgumentException(conflicts.get(0));
        }
        int[][] experts = new int[target.layers()][];
        BitSet[] idle = new BitSet[target.layers()];
        for (int layer = 0; layer < experts.length; layer++) {
            ConstrainedLayer fitted =
                    new ConstrainedLayer(this, layer, settled, target, topology, idleSlots, load.layer(layer));
            fitted.keep();
            experts[layer] = fitted.experts();
            idle[layer] = fitted.idle();
        }
        return Placement.of(target.version(), experts, idle);
    }
}
