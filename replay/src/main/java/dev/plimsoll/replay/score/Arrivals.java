package dev.plimsoll.replay.score;

import dev.plimsoll.model.Placement;

/** Moves as they are scored: slots of a rank whose expert was on none of the rank's slots before. */
public final class Arrivals {
    private Arrivals() {}

    /** Over all layers. */
    public static long count(Placement before, Placement after, int slotsPerRank) {
        long moves = 0;
        for (int layer = 0; layer < after.layers(); layer++) {
            int[] old = before.layer(layer);
            int[] experts = after.layer(layer);
            for (int first = 0; first < experts.length; first += slotsPerRank) {
                moves += intoRank(old, experts, first, first + slotsPerRank);
            }
        }
        return moves;
    }

    /** Of one rank's slots, in one layer. */
    static int intoRank(int[] before, int[] after, int first, int end) {
        int arrivals = 0;
        for (int slot = first; slot < end; slot++) {
            boolean there = false;
            for (int other = first; other < end && !there; other++) {
                there = before[other] == after[slot];
            }
            arrivals += there ? 0 : 1;
        }
        return arrivals;
    }
}
