package dev.plimsoll.simulator;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.ReplicaShare;
import java.util.Arrays;

/**
 * One rank's own map from (layer, expert) to the slots in use that hold it, and which of them gets the next token.
 *
 * <p>Where they share evenly replicas take turns, so in any stretch between two flips they get equal numbers of this rank's tokens, give or take one.
 * Ranks start at different replicas: otherwise all of them would send their first token of a step to the same one. The
 * other ways to share are those of {@link ReplicaShare}. One thread: the rank's compute stream.
 */
final class RoutingMap {
    private final int experts;
    private final int[][] expertOfSlot;
    /** {@code [layer][slot]}: where nobody sends tokens. */
    private final boolean[][] idle;
    /** {@code [layer][expert]} flattened, experts + 1 per layer: where the expert's slots begin in {@link #replicas}. */
    private final int[] first;
    /** {@code [layer][…]} flattened: global slots, grouped by expert, ascending. */
    private final int[] replicas;
    /** {@code [layer][expert]} flattened: tokens sent so far, from the rank's own start. */
    private final int[] turn;

    private final int rank;
    private final int ranks;
    private final int slotsPerRank;
    private final ReplicaShare share;

    /**
     * @param ranks of the deployment
     * @param share how tokens are shared among replicas; one that is to be fitted is not for those who share
     */
    RoutingMap(Placement placement, int experts, int rank, int ranks, ReplicaShare share) {
        if (share == ReplicaShare.FITTED) {
            throw new IllegalArgumentException(
                    "a router shares by a rule, and FITTED is none: choose another replica share");
        }
        this.rank = rank;
        this.ranks = ranks;
        this.share = share;
        slotsPerRank = placement.slots() / ranks;
        this.experts = experts;
        expertOfSlot = placement.toArray();
        idle = new boolean[placement.layers()][placement.slots()];
        first = new int[placement.layers() * (experts + 1)];
        replicas = new int[placement.layers() * placement.slots()];
        turn = new int[placement.layers() * experts];
        Arrays.fill(turn, rank);
        for (int layer = 0; layer < placement.layers(); layer++) {
            for (int slot = 0; slot < placement.slots(); slot++) {
                idle[layer][slot] = placement.idle(layer, slot);
            }
            index(layer);
        }
    }

    /**
     * The global slot that the next token for an expert goes to.
     *
     * @param row of the token in its rank's batch
     */
    int route(int layer, int expert, int row) {
        int at = layer * (experts + 1) + expert;
        int from = first[at];
        int count = first[at + 1] - from;
        if (count == 1) {
            return replicas[from];
        }
        if (count == 0) {
            throw new IllegalStateException("layer " + layer + " expert " + expert
                    + " has no slot in this rank's map: a flip took its last replica away");
        }
        return replicas[from + replica(layer, expert, row, from, count)];
    }

    private int replica(int layer, int expert, int row, int from, int count) {
        return switch (share) {
            case BY_SOURCE -> rank % count;
            case LOCAL_FIRST -> localFirst(layer, expert, from, count);
            // The high bits of a product with the golden section: rows that follow each other go apart.
            case HASHED_ROW -> ((row * 0x9E3779B1) >>> 16) % count;
            case EVEN, FITTED -> (turn[layer * experts + expert]++ & Integer.MAX_VALUE) % count;
        };
    }

    /** Its own replica, or else the one that comes to it when the ranks without one are dealt to replicas in order. */
    private int localFirst(int layer, int expert, int from, int count) {
        int withoutBefore = rank;
        int lastRank = -1;
        for (int i = 0; i < count; i++) {
            int holder = replicas[from + i] / slotsPerRank;
            if (holder == rank) {
                return i;
            }
            if (holder < rank && holder != lastRank) {
                withoutBefore--;
            }
            lastRank = holder;
        }
        return (layer + expert + withoutBefore) % count;
    }

    /** From here on {@code slots[i]} holds {@code newExperts[i]}, and gets tokens where {@code inUse[i]}. */
    void flip(int layer, int[] slots, int[] newExperts, boolean[] inUse) {
        for (int i = 0; i < slots.length; i++) {
            expertOfSlot[layer][slots[i]] = newExperts[i];
            idle[layer][slots[i]] = !inUse[i];
        }
        index(layer);
    }

    /** From here on the slots of a layer hold these experts, and all of them get tokens. */
    void flip(int layer, int[] newExperts) {
        System.arraycopy(newExperts, 0, expertOfSlot[layer], 0, newExperts.length);
        Arrays.fill(idle[layer], false);
        index(layer);
    }

    int expertOf(int layer, int slot) {
        return expertOfSlot[layer][slot];
    }

    boolean isIdle(int layer, int slot) {
        return idle[layer][slot];
    }

    /** Counting sort of a layer's slots in use by expert. */
    private void index(int layer) {
        int[] slots = expertOfSlot[layer];
        int base = layer * (experts + 1);
        Arrays.fill(first, base, base + experts + 1, 0);
        for (int slot = 0; slot < slots.length; slot++) {
            if (!idle[layer][slot]) {
                first[base + slots[slot] + 1]++;
            }
        }
        first[base] = layer * slots.length;
        for (int expert = 0; expert < experts; expert++) {
            first[base + expert + 1] += first[base + expert];
        }
        int[] next = Arrays.copyOfRange(first, base, base + experts);
        for (int slot = 0; slot < slots.length; slot++) {
            if (!idle[layer][slot]) {
                replicas[next[slots[slot]]++] = slot;
            }
        }
    }
}
