package dev.plimsoll.planner.placement;

import java.util.Locale;
import java.util.OptionalInt;

/**
 * What a deployment's earlier decisions have taught: how much of what was promised came, and for how long.
 *
 * @param delivered part of the promised gain that was measured, in [0, 1]; 1 where nothing has been measured yet
 * @param noise relative gain up to which a measured gain could not be told from none; 0 where nothing has been measured yet
 * @param lastingWindows windows over which earlier gains lasted; empty where nobody knows
 * @param decisions that this rests on
 */
public record Experience(double delivered, double noise, OptionalInt lastingWindows, int decisions) {
    /** Of a deployment whose decisions nobody has measured. */
    public static final Experience NONE = new Experience(1, 0, OptionalInt.empty(), 0);

    public Experience {
        if (!(delivered >= 0 && delivered <= 1) || !(noise >= 0) || decisions < 0) {
            throw new IllegalArgumentException(
                    "experience of " + decisions + " decisions: delivered " + delivered + ", noise " + noise);
        }
    }

    /** One line for people. */
    public String summary() {
        if (decisions == 0) {
            return "nothing is known yet of what its promises are worth";
        }
        return String.format(
                Locale.ROOT,
                "%.0f %% of what it promised came, over %d decision%s; gains %s; below %.1f %% they cannot be told from none",
                100 * delivered,
                decisions,
                decisions == 1 ? "" : "s",
                lastingWindows.isPresent()
                        ? "last " + lastingWindows.getAsInt() + " windows"
                        : "have lasted as long as anybody looked",
                100 * noise);
    }
}
