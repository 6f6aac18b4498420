package dev.plimsoll.model;

import java.util.Locale;

/**
 * What the flip of one batch took on one rank.
 *
 * @param receivedBytes weights that came from other ranks
 * @param transferNanos from the boundary at which transfers were given leave to the arrival of the last of them; 0 where nothing came
 * @param flipNanos that the dispatch thread spent on the flip: weights and maps
 */
public record FlipCost(long receivedBytes, long transferNanos, long flipNanos) {
    public FlipCost {
        if (receivedBytes < 0 || transferNanos < 0 || flipNanos < 0) {
            throw new IllegalArgumentException("a flip takes no less than nothing: " + receivedBytes + " bytes in "
                    + transferNanos + " ns, flip " + flipNanos + " ns");
        }
    }

    /** A few words for people. */
    public String summary() {
        String flip = String.format(Locale.ROOT, "flip %.3f ms", flipNanos / 1e6);
        return receivedBytes == 0
                ? flip
                : String.format(Locale.ROOT, "%.1f MB in %.1f ms, ", receivedBytes / 1e6, transferNanos / 1e6) + flip;
    }
}
