package dev.plimsoll.replay;

import dev.plimsoll.model.Placement;

/**
 * How the tokens of experts come to the slots of a placement: each expert's evenly over its replicas, in whole tokens, what is left over
 * one by one to the first of them. So the sums of an expert's slots are its tokens, to the token. Idle slots get none.
 *
 * <p>Sources: vLLM, SGLang and TensorRT-LLM all spread an expert's tokens evenly over its replicas by default, by the token's position
 * or at random; see docs/replay.md for what that leaves out.
 */
final class ReplicaSplit {
    /** {@code [layer][slot]} */
    private final int[][] experts;
    /** {@code [layer][slot]}, how many slots in use hold the expert of this one; 0 where it is idle. */
    private final int[][] replicas;
    /** {@code [layer][slot]}, how many slots in use before this one hold its expert. */
    private final int[][] before;

    ReplicaSplit(Placement placement, int expertCount) {
        experts = placement.toArray();
        replicas = new int[experts.length][];
        before = new int[experts.length][];
        for (int layer = 0; layer < experts.length; layer++) {
            int[] count = new int[expertCount];
            before[layer] = new int[experts[layer].length];
            for (int slot = 0; slot < experts[layer].length; slot++) {
                if (!placement.idle(layer, slot)) {
                    before[layer][slot] = count[experts[layer][slot]]++;
                }
            }
            replicas[layer] = new int[experts[layer].length];
            for (int slot = 0; slot < experts[layer].length; slot++) {
                replicas[layer][slot] = placement.idle(layer, slot) ? 0 : count[experts[layer][slot]];
            }
        }
    }

    /** The slot's part of so many tokens of its expert. */
    long tokens(int layer, int slot, long ofExpert) {
        int among = replicas[layer][slot];
        if (among <= 1) {
            return among == 0 ? 0 : ofExpert;
        }
        return ofExpert / among + (before[layer][slot] < ofExpert % among ? 1 : 0);
    }

    int expert(int layer, int slot) {
        return experts[layer][slot];
    }
}
