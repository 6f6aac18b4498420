package dev.plimsoll.planner.placement;

import java.util.Locale;

/** What the gate says of a candidate. */
public sealed interface Verdict {

    /**
     * What the verdict was made from.
     *
     * @param currentBalancedness mean balancedness of the newest window's load under the settled placement
     * @param predictedBalancedness the same under what the policy would have made of it a window earlier: what can be expected of
     *     the candidate in the window that comes
     * @param gain relative fall of the hottest ranks' load in the newest window
     * @param heldOutGain the same for what the policy would have made a window earlier
     * @param pays windows' worth of time saved over the horizon
     * @param cost windows' worth of time that transfers and flips take
     * @param moves slots that get another expert
     */
    record Numbers(
            double currentBalancedness,
            double predictedBalancedness,
            double gain,
            double heldOutGain,
            double pays,
            double cost,
            int moves) {
        /** Where nothing was computed. */
        public static final Numbers NONE = new Numbers(Double.NaN, Double.NaN, 0, 0, 0, 0, 0);

        /** One line for people. */
        public String line() {
            return String.format(
                    Locale.ROOT,
                    "gain %.1f %%, held out %.1f %%, pays %.3f windows for %.3f, %d moves",
                    100 * gain,
                    100 * heldOutGain,
                    pays,
                    cost,
                    moves);
        }
    }

    Numbers numbers();

    /** The placement stays as it is. */
    record Keep(KeepReason reason, String detail, Numbers numbers) implements Verdict {
        public static Keep because(KeepReason reason, String detail) {
            return new Keep(reason, detail, Numbers.NONE);
        }
    }

    /** The change pays. */
    record Change(Candidate candidate, Numbers numbers) implements Verdict {}
}
