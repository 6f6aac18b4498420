package dev.plimsoll.planner.placement;

import java.util.Arrays;
import java.util.BitSet;

/** The order of experts within their ranks: whoever stays on a rank stays in its slot, so that only what comes anew is moved. */
final class KeptSlots {
    private KeptSlots() {}

    /**
     * @param settled {@code [slot]}, valid
     * @param target {@code [slot]}, valid, in any order within a rank
     * @return the target's experts of every rank; newcomers take the slots of those who left, both in ascending order
     */
    static int[] arrange(int[] settled, int[] target, int slotsPerRank) {
        return arrange(settled, target, slotsPerRank, Integer.MAX_VALUE);
    }

    /**
     * The same for a target with idle slots: they keep the experts that they had.
     *
     * @param nothing what the target has for an idle slot; above all experts
     */
    static int[] arrange(int[] settled, int[] target, int slotsPerRank, int nothing) {
        int[] arranged = new int[settled.length];
        for (int first = 0; first < settled.length; first += slotsPerRank) {
            int end = first + slotsPerRank;
            int[] newcomers = Arrays.copyOfRange(target, first, end);
            Arrays.sort(newcomers);
            Arrays.fill(arranged, first, end, -1);
            for (int slot = first; slot < end; slot++) {
                int at = Arrays.binarySearch(newcomers, settled[slot]);
                if (at >= 0) {
                    arranged[slot] = settled[slot];
                }
            }
            int slot = first;
            for (int expert : newcomers) {
                if (expert == nothing || contains(settled, first, end, expert)) {
                    continue;
                }
                while (arranged[slot] >= 0) {
                    slot++;
                }
                arranged[slot] = expert;
            }
            for (slot = first; slot < end; slot++) {
                arranged[slot] = arranged[slot] < 0 ? settled[slot] : arranged[slot];
            }
        }
        return arranged;
    }

    /** The slots whose expert the target does not have on their rank. */
    static BitSet idle(int[] arranged, int[] target, int slotsPerRank) {
        BitSet idle = new BitSet();
        for (int slot = 0; slot < arranged.length; slot++) {
            int first = slot / slotsPerRank * slotsPerRank;
            idle.set(slot, !contains(target, first, first + slotsPerRank, arranged[slot]));
        }
        return idle;
    }

    private static boolean contains(int[] values, int from, int to, int wanted) {
        for (int i = from; i < to; i++) {
            if (values[i] == wanted) {
                return true;
            }
        }
        return false;
    }
}
