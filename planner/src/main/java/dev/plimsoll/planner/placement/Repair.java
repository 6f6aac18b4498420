package dev.plimsoll.planner.placement;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.Topology;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Makes a sound placement of one that an engine has come to by itself and that the rules forbid: an expert twice on a rank, a slot whose
 * weights are of no expert, an expert that only idle slots hold.
 *
 * <p>What is sound stays. A slot that is not gets the expert with the most tokens per replica of those that its rank does not hold, as any
 * further replica is best spent there; a slot that alone holds an expert comes into use. Whether the result is even is for the next
 * decision. Pure and deterministic; ties go to the lowest expert.
 */
public final class Repair {
    private Repair() {}

    /**
     * @param settled every expert of every layer has a slot that holds it, idle or not; ranks have no more slots than there are experts
     * @param load what experts got
     * @return with the settled version still; the same where nothing is wrong with it
     */
    public static Placement of(Placement settled, ModelShape shape, Topology topology, ExpertLoad load) {
        int[][] experts = settled.toArray();
        BitSet[] idle = new BitSet[experts.length];
        for (int layer = 0; layer < experts.length; layer++) {
            idle[layer] = settled.idle(layer);
            BitSet wrong = wrong(settled, layer, shape, topology);
            useAll(experts[layer], idle[layer], wrong, shape.experts());
            fill(experts[layer], idle[layer], wrong, load.layer(layer), topology);
        }
        return Placement.of(settled.version(), experts, idle);
    }

    /** Most slots that a repair gives another expert on one rank in one layer: what staging memory must hold at once. */
    public static int most(Placement settled, ModelShape shape, Topology topology) {
        int most = 0;
        for (int layer = 0; layer < settled.layers(); layer++) {
            int[] ofRank = new int[topology.ranks()];
            BitSet wrong = wrong(settled, layer, shape, topology);
            wrong.stream().forEach(slot -> ofRank[slot / topology.slotsPerRank()]++);
            most = Math.max(most, Arrays.stream(ofRank).max().orElse(0));
        }
        return most;
    }

    /** Slots whose weights are of no expert, and those that repeat one on their rank: of two, the idle one, else the second. */
    private static BitSet wrong(Placement settled, int layer, ModelShape shape, Topology topology) {
        int[] held = settled.layer(layer);
        BitSet wrong = new BitSet();
        for (int first = 0; first < held.length; first += topology.slotsPerRank()) {
            int[] keeps = new int[shape.experts()];
            Arrays.fill(keeps, -1);
            for (int slot = first; slot < first + topology.slotsPerRank(); slot++) {
                int expert = held[slot];
                if (expert >= shape.experts()) {
                    wrong.set(slot);
                } else if (keeps[expert] < 0) {
                    keeps[expert] = slot;
                } else if (settled.idle(layer, keeps[expert]) && !settled.idle(layer, slot)) {
                    wrong.set(keeps[expert]);
                    keeps[expert] = slot;
                } else {
                    wrong.set(slot);
                }
            }
        }
        return wrong;
    }

    private static void useAll(int[] held, BitSet idle, BitSet wrong, int experts) {
        BitSet used = new BitSet(experts);
        for (int slot = 0; slot < held.length; slot++) {
            if (!wrong.get(slot) && !idle.get(slot)) {
                used.set(held[slot]);
            }
        }
        for (int slot = 0; slot < held.length; slot++) {
            if (!wrong.get(slot) && !used.get(held[slot])) {
                used.set(held[slot]);
                idle.clear(slot);
            }
        }
    }

    private static void fill(int[] held, BitSet idle, BitSet wrong, double[] load, Topology topology) {
        int[] replicas = new int[load.length];
        for (int slot = 0; slot < held.length; slot++) {
            if (!wrong.get(slot) && !idle.get(slot)) {
                replicas[held[slot]]++;
            }
        }
        for (int slot = wrong.nextSetBit(0); slot >= 0; slot = wrong.nextSetBit(slot + 1)) {
            BitSet onRank = new BitSet(load.length);
            int first = slot - slot % topology.slotsPerRank();
            for (int other = first; other < first + topology.slotsPerRank(); other++) {
                if (other < slot || !wrong.get(other)) {
                    onRank.set(held[other]);
                }
            }
            int best = onRank.nextClearBit(0);
            for (int expert = best; expert < load.length; expert = onRank.nextClearBit(expert + 1)) {
                if (load[expert] / replicas[expert] > load[best] / replicas[best]) {
                    best = expert;
                }
            }
            held[slot] = best;
            idle.clear(slot);
            replicas[best]++;
        }
    }

    /**
     * A placement as it counts where loads and times are computed: a slot whose weights are of no expert stands idle there, as no router
     * sends to it.
     */
    public static Placement asServed(Placement placement, Membership members) {
        int experts = members.shape().experts();
        int[][] known = placement.toArray();
        BitSet[] idle = new BitSet[known.length];
        boolean all = true;
        for (int layer = 0; layer < known.length; layer++) {
            idle[layer] = placement.idle(layer);
            for (int slot = 0; slot < known[layer].length; slot++) {
                if (known[layer][slot] >= experts) {
                    known[layer][slot] = 0;
                    idle[layer].set(slot);
                    all = false;
                }
            }
        }
        return all ? placement : Placement.of(placement.version(), known, idle);
    }
}
