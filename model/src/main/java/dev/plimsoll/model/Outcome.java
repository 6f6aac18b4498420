package dev.plimsoll.model;

/**
 * What a settled decision had promised and what came of it.
 *
 * @param version the placement that settled
 * @param windowIndex the complete window, run wholly under the new placement, in which it was measured
 * @param before mean balancedness of the window that the plan was made from
 * @param predicted mean balancedness promised
 * @param realised balancedness measured
 */
public record Outcome(
        Deployment deployment,
        long incarnation,
        int version,
        long windowIndex,
        int moves,
        double before,
        double predicted,
        Balance realised) {

    /** One line for people. */
    public String summary() {
        return String.format(
                java.util.Locale.ROOT,
                "v%d: %d moves, balancedness %.3f, predicted %.3f, realised %.3f (worst layer %d: %.3f)",
                version,
                moves,
                before,
                predicted,
                realised.mean(),
                realised.worstLayer(),
                realised.min());
    }
}
