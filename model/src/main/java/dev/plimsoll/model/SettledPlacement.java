package dev.plimsoll.model;

import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * The settled expert of every slot of one layer: what a compacted topic keeps.
 *
 * @param version version of the whole placement
 * @param placementHash {@link Placement#hash()} of the whole placement: layers of one version belong together
 * @param experts {@code [slot]}
 * @param idle slots that are not in use, ascending
 * @param restart from where whoever begins with this has to read the plan log; empty where the planner does not say: from its beginning
 */
public record SettledPlacement(
        Deployment deployment,
        long incarnation,
        int version,
        int layer,
        int layers,
        long placementHash,
        LongVector experts,
        List<Integer> idle,
        Optional<PlanRestart> restart) {
    /** Of a planner that does not say from where its log is to be read. */
    public SettledPlacement(
            Deployment deployment,
            long incarnation,
            int version,
            int layer,
            int layers,
            long placementHash,
            LongVector experts,
            List<Integer> idle) {
        this(deployment, incarnation, version, layer, layers, placementHash, experts, idle, Optional.empty());
    }

    /** Of a layer whose slots are all in use. */
    public SettledPlacement(
            Deployment deployment,
            long incarnation,
            int version,
            int layer,
            int layers,
            long placementHash,
            LongVector experts) {
        this(deployment, incarnation, version, layer, layers, placementHash, experts, List.of(), Optional.empty());
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
        restart.ifPresent(at -> {
            for (int i = 0; i < at.earlier().size(); i += 2) {
                if (at.earlier().at(i) < 0 || at.earlier().at(i) >= experts.size()) {
                    throw new IllegalArgumentException("settled placement v" + version + " layer " + layer
                            + ": what was before is of slot " + at.earlier().at(i) + " of " + experts.size());
                }
            }
        });
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

    /** The same with where to read on, in place of what it said before. */
    public SettledPlacement restartingAt(PlanRestart at) {
        return new SettledPlacement(
                deployment, incarnation, version, layer, layers, placementHash, experts, idle, Optional.of(at));
    }

    /** The expert of every slot; where one is idle, the complement ({@code ~}) of its expert. */
    public int[] marked() {
        int[] marked = new int[experts.size()];
        for (int slot = 0; slot < marked.length; slot++) {
            marked[slot] = Math.toIntExact(experts.at(slot));
        }
        idle.forEach(slot -> marked[slot] = ~marked[slot]);
        return marked;
    }

    /** The same as it was in the version that reading begins with. */
    public int[] markedBefore() {
        int[] marked = marked();
        restart.ifPresent(at -> {
            for (int i = 0; i < at.earlier().size(); i += 2) {
                marked[Math.toIntExact(at.earlier().at(i))] =
                        Math.toIntExact(at.earlier().at(i + 1));
            }
        });
        return marked;
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
