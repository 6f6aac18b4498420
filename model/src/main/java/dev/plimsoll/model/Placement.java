package dev.plimsoll.model;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The expert of every slot, {@code [layer][slot]}, and whether the slot is in use, with a version that only grows. An idle slot holds
 * its expert's weights, and no router sends a token to it.
 *
 * <p>A value of this class has the right shape; whether it is a placement that may be served is asked of
 * {@link PlacementRules}.
 */
public final class Placement {
    private final int version;
    private final int[][] experts;
    /** {@code [layer]} idle slots. */
    private final BitSet[] idle;

    private Placement(int version, int[][] experts, BitSet[] idle) {
        this.version = version;
        this.experts = experts;
        this.idle = idle;
    }

    /** @param experts {@code [layer][slot]}, copied; at least one layer, all of one length; every slot is in use */
    public static Placement of(int version, int[][] experts) {
        return of(version, experts, new BitSet[0]);
    }

    /**
     * @param experts {@code [layer][slot]}, copied; at least one layer, all of one length
     * @param idle {@code [layer]} slots that are not in use, copied; layers that are not in it have none
     */
    public static Placement of(int version, int[][] experts, BitSet[] idle) {
        if (version < 0 || experts.length == 0) {
            throw new IllegalArgumentException("placement v" + version + " of " + experts.length + " layers");
        }
        int[][] copy = new int[experts.length][];
        for (int layer = 0; layer < experts.length; layer++) {
            copy[layer] = experts[layer].clone();
            if (copy[layer].length != copy[0].length || copy[layer].length == 0) {
                throw new IllegalArgumentException(
                        "layer " + layer + " has " + copy[layer].length + " slots, layer 0 has " + copy[0].length);
            }
            for (int expert : copy[layer]) {
                if (expert < 0) {
                    throw new IllegalArgumentException("layer " + layer + " holds expert " + expert);
                }
            }
        }
        BitSet[] idleCopy = new BitSet[copy.length];
        for (int layer = 0; layer < copy.length; layer++) {
            idleCopy[layer] = layer < idle.length ? (BitSet) idle[layer].clone() : new BitSet();
            if (idleCopy[layer].length() > copy[layer].length) {
                throw new IllegalArgumentException("layer " + layer + " has " + copy[layer].length
                        + " slots; none of them is idle slot " + (idleCopy[layer].length() - 1));
            }
        }
        return new Placement(version, copy, idleCopy);
    }

    /** @param marked {@code [layer][slot]}, copied; the expert of the slot, or its complement ({@code ~}) where the slot is idle */
    public static Placement ofMarked(int version, int[][] marked) {
        int[][] experts = new int[marked.length][];
        BitSet[] idle = new BitSet[marked.length];
        for (int layer = 0; layer < marked.length; layer++) {
            experts[layer] = marked[layer].clone();
            idle[layer] = new BitSet();
            for (int slot = 0; slot < experts[layer].length; slot++) {
                if (experts[layer][slot] < 0) {
                    experts[layer][slot] = ~experts[layer][slot];
                    idle[layer].set(slot);
                }
            }
        }
        return of(version, experts, idle);
    }

    /** Version 0, what engines start with unless they say otherwise: experts in order over the slots, redundant slots from expert 0 again. */
    public static Placement initial(ModelShape shape, Topology topology) {
        int[] layer = new int[topology.slots()];
        for (int slot = 0; slot < layer.length; slot++) {
            layer[slot] = slot % shape.experts();
        }
        int[][] experts = new int[shape.layers()][];
        Arrays.fill(experts, layer);
        return of(0, experts);
    }

    public int version() {
        return version;
    }

    public int layers() {
        return experts.length;
    }

    public int slots() {
        return experts[0].length;
    }

    public ExpertId expert(LayerId layer, SlotId slot) {
        return new ExpertId(experts[layer.index()][slot.index()]);
    }

    /** Whether no router sends tokens to the slot. */
    public boolean idle(int layer, int slot) {
        return idle[layer].get(slot);
    }

    /** A copy of the idle slots of a layer. */
    public BitSet idle(int layer) {
        return (BitSet) idle[layer].clone();
    }

    /** Idle slots, over all layers. */
    public int idleSlots() {
        int count = 0;
        for (BitSet layer : idle) {
            count += layer.cardinality();
        }
        return count;
    }

    /** A copy of the expert of every slot of a layer, -1 where it is idle: who computes. */
    public int[] inUse(int layer) {
        int[] copy = layer(layer);
        for (int slot = idle[layer].nextSetBit(0); slot >= 0; slot = idle[layer].nextSetBit(slot + 1)) {
            copy[slot] = -1;
        }
        return copy;
    }

    /** A copy of the expert of every slot, {@code [layer][slot]}; where one is idle, the complement ({@code ~}) of its expert: negative. */
    public int[][] marked() {
        int[][] copy = toArray();
        for (int layer = 0; layer < copy.length; layer++) {
            for (int slot = idle[layer].nextSetBit(0); slot >= 0; slot = idle[layer].nextSetBit(slot + 1)) {
                copy[layer][slot] = ~copy[layer][slot];
            }
        }
        return copy;
    }

    /** A copy of the expert of every slot of a layer, idle or not. */
    public int[] layer(int layer) {
        return experts[layer].clone();
    }

    /** A copy of the expert of every slot, {@code [layer][slot]}: the peers' {@code physical-to-logical} map. */
    public int[][] toArray() {
        int[][] copy = new int[experts.length][];
        for (int layer = 0; layer < copy.length; layer++) {
            copy[layer] = experts[layer].clone();
        }
        return copy;
    }

    /** Slots in use of every expert of a layer, ascending, {@code [expert][replica]}: the peers' {@code log2phy} map. */
    public int[][] slotsOfExperts(int layer, int expertCount) {
        int[] replicas = new int[expertCount];
        int[] inUse = inUse(layer);
        for (int expert : inUse) {
            if (expert >= 0 && expert < expertCount) {
                replicas[expert]++;
            }
        }
        int[][] slots = new int[expertCount][];
        for (int expert = 0; expert < expertCount; expert++) {
            slots[expert] = new int[replicas[expert]];
        }
        int[] filled = new int[expertCount];
        for (int slot = 0; slot < slots(); slot++) {
            int expert = inUse[slot];
            if (expert >= 0 && expert < expertCount) {
                slots[expert][filled[expert]++] = slot;
            }
        }
        return slots;
    }

    /** Local slot of every expert on every rank of a layer, -1 where absent, {@code [rank][expert]}: the peers' {@code expert map}. */
    public int[][] localSlotsOfExperts(int layer, Topology topology, int expertCount) {
        int[][] local = new int[topology.ranks()][expertCount];
        for (int[] rank : local) {
            Arrays.fill(rank, -1);
        }
        for (int slot = 0; slot < slots(); slot++) {
            if (experts[layer][slot] < expertCount) {
                local[slot / topology.slotsPerRank()][experts[layer][slot]] = slot % topology.slotsPerRank();
            }
        }
        return local;
    }

    /** This placement with moves applied, under another version; a moved slot comes into use. */
    public Placement with(int newVersion, List<Move> moves) {
        return moves.isEmpty() ? withVersion(newVersion) : with(newVersion, new Batch(1, moves));
    }

    /** This placement with a batch applied, under another version. */
    public Placement with(int newVersion, Batch batch) {
        return withBatches(newVersion, List.of(batch));
    }

    /** This placement with batches applied one after the other, under another version. */
    public Placement withBatches(int newVersion, List<Batch> batches) {
        int[][] after = toArray();
        BitSet[] idleAfter = new BitSet[layers()];
        Arrays.setAll(idleAfter, this::idle);
        for (Batch batch : batches) {
            for (Move move : batch.moves()) {
                after[move.layer().index()][move.slot().index()] = move.expert().index();
                idleAfter[move.layer().index()].clear(move.slot().index());
            }
            for (Switch change : batch.switches()) {
                idleAfter[change.layer().index()].set(change.slot().index(), !change.inUse());
            }
        }
        return of(newVersion, after, idleAfter);
    }

    /** Whether the same slots hold and compute the same experts, whatever the versions. */
    public boolean servesLike(Placement other) {
        return Arrays.deepEquals(experts, other.experts) && Arrays.equals(idle, other.idle);
    }

    /** The same with some layers of another placement of this shape. */
    public Placement withLayersOf(Placement other, List<Integer> layers) {
        int[][] marked = marked();
        layers.forEach(layer -> marked[layer] = other.marked()[layer]);
        return ofMarked(version, marked);
    }

    /** The same experts, and the same slots in use, under another version. */
    public Placement withVersion(int newVersion) {
        return of(newVersion, experts, idle);
    }

    /**
     * The first 8 bytes of SHA-256 over version, shape and experts as big-endian ints, and where any slot is idle over layer and slot of
     * each of those: equal on any JVM.
     */
    public long hash() {
        ByteBuffer bytes = ByteBuffer.allocate(4 * (3 + layers() * slots() + 2 * idleSlots()));
        bytes.putInt(version).putInt(layers()).putInt(slots());
        for (int[] layer : experts) {
            for (int expert : layer) {
                bytes.putInt(expert);
            }
        }
        for (int layer = 0; layer < idle.length; layer++) {
            int of = layer;
            idle[layer].stream().forEach(slot -> bytes.putInt(of).putInt(slot));
        }
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(bytes.array()))
                    .getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Placement placement && version == placement.version && servesLike(placement);
    }

    @Override
    public int hashCode() {
        return 31 * version + Arrays.deepHashCode(experts);
    }

    @Override
    public String toString() {
        return "placement v" + version + " of " + layers() + " layers × " + slots() + " slots"
                + (idleSlots() == 0 ? "" : ", " + idleSlots() + " of them idle");
    }
}
