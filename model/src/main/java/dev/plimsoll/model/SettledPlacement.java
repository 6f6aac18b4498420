package dev.plimsoll.model;

import java.util.BitSet;
import java.util.List;

/**
 * The settled expert of every slot of one layer: what a compacted topic keeps.
 *
 * @param version version of the whole placement
 * @param placementHash {@link Placement#hash()} of the whole placement: layers of one version belong together
 * @param experts {@code [slot]}
 * @param idle slots that are not in use, ascending
 */
public record SettledPlacement(
        Deployment deployment,
        long incarnation,
        int version,
        int layer,
        int layers,
        long placementHash,
        LongVector experts,
        List<Integer> idle) {
    /** Of a layer whose slots are all in use. */
    public SettledPlacement(
            Deployment deployment,
            long incarnation,
            int version,
            int layer,
            int layers,
            long placementHash,
            LongVector experts) {
        this(deployment, incarnation, version, layer, layers, placementHash, experts, List.of());
    }

    public SettledPlacement {
        idle = List.copyOf(idle);
        if (version < 0 || layer < 0 || layer >= layers || experts.size() == 0 || experts.anyNegative()) {
            throw new IllegalArgumentException("settled placement v" + version + " layer " + layer + " of " + layers
                    + " with " + experts.size() + " slots");
        }
        int above = -1;
        for (int slot : idle) {
            if (slot <= above || slot >= experts.size()) {
                throw new IllegalArgumentException("settled placement v" + version + " layer " + layer
                        + ": idle slots must ascend below " + experts.size() + ": " + idle);
            }
            above = slot;
        }
    }

    /**
     * One layer of a settled placement.
     *
     * @param hash the placement's own, which takes a while
     */
    public static SettledPlacement of(
            Deployment deployment, long incarnation, Placement placement, int layer, long hash) {
        int[] experts = placement.layer(layer);
        long[] wide = new long[experts.length];
        for (int slot = 0; slot < wide.length; slot++) {
            wide[slot] = experts[slot];
        }
        return new SettledPlacement(
                deployment,
                incarnation,
                placement.version(),
                layer,
                placement.layers(),
                hash,
                LongVector.of(wide),
                placement.idle(layer).stream().boxed().toList());
    }

    /** The idle slots as a set of its own. */
    public BitSet idleSlots() {
        BitSet slots = new BitSet();
        idle.forEach(slots::set);
        return slots;
    }

    /** One line for people. */
    public String summary() {
        return "v" + version + " layer " + layer + ": " + experts.size() + " slots"
                + (idle.isEmpty() ? "" : ", " + idle.size() + " of them idle");
    }
}
