package dev.plimsoll.model;

import java.util.List;

/**
 * Why a layer's moves are wanted, and why no others are.
 *
 * <p>By time, what is said of balancedness is said of the least time that the slowest rank could take ÷ the time that it is expected to
 * take: as balancedness it is at most 1, and the more the better.
 *
 * @param before balancedness that is expected of the settled placement
 * @param predicted balancedness that is expected of the new one
 * @param bound balancedness that no placement can exceed on the expected load
 * @param gains balancedness that each move brings, in order of slots; the two moves of a swap share the gain of the swap, those of a
 *     placement from scratch share alike; the plan log keeps them as floats
 * @param stop why there are no more moves
 * @param refused part of its price that the best move left out would bring, below 1; 0 when none comes near
 */
public record LayerReason(double before, double predicted, double bound, List<Gain> gains, Stop stop, double refused) {
    public LayerReason {
        gains = List.copyOf(gains);
    }

    /** A move's part in the gain of its layer. */
    public record Gain(int slot, double balancedness) {}

    /** Why a layer gets no more moves. */
    public enum Stop {
        /** The layer has no load. */
        UNLOADED,
        /** No single step lowers what is expected above the mean. */
        OPTIMUM,
        /** The best step left lowers it by less than its moves cost, or what was found would be less balanced than before. */
        PRICE,
        /** The same, and most of the price is for how much the load varies by itself. */
        NOISE,
        /** The budget of moves is used up. */
        BUDGET,
        /** The weights that would come to a rank exceed its staging memory. */
        STAGING,
        /**
         * By time: nobody needs a further replica, and each would read its expert's weights again. Redundant slots that must be used
         * are where they cost least.
         */
        REDUNDANCY,
        /** A later release said why. */
        UNKNOWN
    }
}
