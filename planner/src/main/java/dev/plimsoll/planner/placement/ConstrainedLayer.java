package dev.plimsoll.planner.placement;

import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import dev.plimsoll.planner.placement.Constraints.Pin;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One layer as it is made to keep {@link Constraints}. There is always a slot for what lacks one: slots of serving ranks that nobody
 * pins are at least as many as experts that nobody pins, so while one of these has none, some slot is idle or repeats an expert.
 */
final class ConstrainedLayer {
    private final List<Pin> pins;
    private final Topology topology;
    private final double[] load;
    private final int[] settled;
    private final int[] held;
    private final BitSet idle;
    /** Slots of ranks that are not drained. */
    private final BitSet serving = new BitSet();
    /** Slots that a pin is kept by. */
    private final BitSet pinned = new BitSet();
    /** {@code [expert]} slots in use on ranks that are not drained. */
    private final int[] replicas;

    ConstrainedLayer(
            Constraints constraints,
            int layer,
            Placement settled,
            Placement target,
            Topology topology,
            boolean idleSlots,
            double[] load) {
        this.pins = constraints.pins().stream()
                .filter(pin -> pin.layer().equals(new LayerId(layer)))
                .toList();
        this.topology = topology;
        this.load = load;
        this.settled = settled.layer(layer);
        this.held = target.layer(layer);
        this.idle = target.idle(layer);
        this.replicas = new int[load.length];
        serving.set(0, held.length);
        for (RankId rank : constraints.drained()) {
            int first = rank.index() * topology.slotsPerRank();
            serving.clear(first, first + topology.slotsPerRank());
            for (int slot = first; slot < first + topology.slotsPerRank(); slot++) {
                // As a whole, or the rank could hold an expert twice.
                held[slot] = this.settled[slot];
                idle.set(slot, idleSlots || settled.idle(layer, slot));
            }
        }
        serving.stream().filter(slot -> !idle.get(slot)).forEach(slot -> replicas[held[slot]]++);
    }

    void keep() {
        pins.forEach(this::useWhereItIs);
        useIdleOnes();
        pins.forEach(this::bring);
        // Who has made room may stand idle elsewhere.
        useIdleOnes();
        for (int expert = 0; expert < replicas.length; expert++) {
            if (replicas[expert] == 0) {
                put(expert, roomiest(expert));
            }
        }
    }

    private void useIdleOnes() {
        for (int expert = 0; expert < replicas.length; expert++) {
            if (replicas[expert] == 0) {
                use(slotOf(expert, serving.stream().toArray()));
            }
        }
    }

    int[] experts() {
        return held;
    }

    BitSet idle() {
        return idle;
    }

    private void useWhereItIs(Pin pin) {
        int slot = slotOf(pin.expert().index(), slotsOf(pin));
        if (slot >= 0) {
            use(slot);
            pinned.set(slot);
        }
    }

    private int slotOf(int expert, int[] slots) {
        return Arrays.stream(slots)
                .filter(slot -> held[slot] == expert)
                .findFirst()
                .orElse(-1);
    }

    private int[] slotsOf(Pin pin) {
        int first = pin.rank().index() * topology.slotsPerRank();
        return serving.get(first)
                ? IntStream.range(first, first + topology.slotsPerRank()).toArray()
                : new int[0];
    }

    private void use(int slot) {
        if (slot >= 0 && idle.get(slot)) {
            idle.clear(slot);
            replicas[held[slot]]++;
        }
    }

    /** Where a pinned expert comes to its rank, whoever costs least makes room: last, an expert that then has no slot. */
    private void bring(Pin pin) {
        int expert = pin.expert().index();
        int[] slots = slotsOf(pin);
        if (slotOf(expert, slots) >= 0) {
            return;
        }
        int best = -1;
        for (int slot : slots) {
            if (!pinned.get(slot) && (best < 0 || cheaper(expert, slot, best))) {
                best = slot;
            }
        }
        put(expert, best);
        pinned.set(best);
    }

    private boolean cheaper(int expert, int slot, int than) {
        int byCost = Integer.compare(cost(expert, slot), cost(expert, than));
        return byCost != 0 ? byCost < 0 : perReplica(slot) < perReplica(than);
    }

    private int cost(int expert, int slot) {
        if (!isSpare(slot)) {
            return 3;
        }
        if (settled[slot] == expert) {
            return 0;
        }
        return idle.get(slot) ? 1 : 2;
    }

    /** Whether its expert has a slot in use all the same when this slot gets another. */
    private boolean isSpare(int slot) {
        return replicas[held[slot]] > (idle.get(slot) ? 0 : 1);
    }

    private double perReplica(int slot) {
        return load[held[slot]] / Math.max(1, replicas[held[slot]]);
    }

    /** Of the slots that can be spared the one whose rank has least to do, or the one where the expert is already. */
    private int roomiest(int expert) {
        double[] ofRank = EvenSplit.rankLoads(inUse(), load, topology);
        int best = -1;
        for (int slot = serving.nextSetBit(0); slot >= 0; slot = serving.nextSetBit(slot + 1)) {
            if (pinned.get(slot) || !isSpare(slot)) {
                continue;
            }
            if (settled[slot] == expert) {
                return slot;
            }
            if (best < 0 || ofRank[slot / topology.slotsPerRank()] < ofRank[best / topology.slotsPerRank()]) {
                best = slot;
            }
        }
        if (best < 0) {
            throw new IllegalStateException("no slot for expert " + expert + " in " + Arrays.toString(held));
        }
        return best;
    }

    private int[] inUse() {
        int[] inUse = held.clone();
        idle.stream().forEach(slot -> inUse[slot] = -1);
        return inUse;
    }

    private void put(int expert, int slot) {
        if (!idle.get(slot)) {
            replicas[held[slot]]--;
        }
        held[slot] = expert;
        idle.clear(slot);
        replicas[expert]++;
    }
}
