package dev.plimsoll.model;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;

/**
 * The expert of every slot, {@code [layer][slot]}, with a version that only grows.
 *
 * <p>A value of this class has the right shape; whether it is a placement that may be served is asked of
 * {@link PlacementRules}.
 */
public final class Placement {
    private final int version;
    private final int[][] experts;

    private Placement(int version, int[][] experts) {
        this.version = version;
        this.experts = experts;
    }

    /** @param experts {@code [layer][slot]}, copied; at least one layer, all of one length */
    public static Placement of(int version, int[][] experts) {
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
        return new Placement(version, copy);
    }

    /** Version 0, what engines start with: experts in order over the slots, redundant slots from expert 0 again. */
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

    /** A copy of the expert of every slot of a layer. */
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

    /** Slots of every expert of a layer, ascending, {@code [expert][replica]}: the peers' {@code log2phy} map. */
    public int[][] slotsOfExperts(int layer, int expertCount) {
        int[] replicas = new int[expertCount];
        for (int expert : experts[layer]) {
            replicas[expert]++;
        }
        int[][] slots = new int[expertCount][];
        for (int expert = 0; expert < expertCount; expert++) {
            slots[expert] = new int[replicas[expert]];
        }
        int[] filled = new int[expertCount];
        for (int slot = 0; slot < slots(); slot++) {
            int expert = experts[layer][slot];
            slots[expert][filled[expert]++] = slot;
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
            local[slot / topology.slotsPerRank()][experts[layer][slot]] = slot % topology.slotsPerRank();
        }
        return local;
    }

    /** This placement with moves applied, under another version. */
    public Placement with(int newVersion, List<Move> moves) {
        int[][] copy = toArray();
        for (Move move : moves) {
            copy[move.layer().index()][move.slot().index()] = move.expert().index();
        }
        return of(newVersion, copy);
    }

    /** The same experts under another version. */
    public Placement withVersion(int newVersion) {
        return of(newVersion, experts);
    }

    /** The first 8 bytes of SHA-256 over version, shape and experts as big-endian ints: equal on any JVM. */
    public long hash() {
        ByteBuffer bytes = ByteBuffer.allocate(4 * (3 + layers() * slots()));
        bytes.putInt(version).putInt(layers()).putInt(slots());
        for (int[] layer : experts) {
            for (int expert : layer) {
                bytes.putInt(expert);
            }
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
        return other instanceof Placement placement
                && version == placement.version
                && Arrays.deepEquals(experts, placement.experts);
    }

    @Override
    public int hashCode() {
        return 31 * version + Arrays.deepHashCode(experts);
    }

    @Override
    public String toString() {
        return "placement v" + version + " of " + layers() + " layers × " + slots() + " slots";
    }
}
