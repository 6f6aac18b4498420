package dev.plimsoll.model;

import java.util.Locale;

/**
 * What a decision promises in time, by a device profile: expected of the newest window's tokens, of which the plan that gives the
 * promise had not seen any.
 *
 * @param expertMicrosBefore expert time of a step under the settled placement: Σ over layers of the slowest rank's slots
 * @param expertMicrosPromised the same under the decision
 * @param stepMicrosBefore step time under the settled placement
 * @param stepMicrosPromised the same under the decision
 * @param assumed whether the rest of a step, beside its experts, is assumed: nothing measured says yet how much it is
 */
public record StepPromise(
        double expertMicrosBefore,
        double expertMicrosPromised,
        double stepMicrosBefore,
        double stepMicrosPromised,
        boolean assumed) {
    public StepPromise {
        if (!(expertMicrosBefore >= 0)
                || !(expertMicrosPromised >= 0)
                || !(stepMicrosBefore >= 0)
                || !(stepMicrosPromised >= 0)) {
            throw new IllegalArgumentException("times must not be negative: experts " + expertMicrosBefore + " to "
                    + expertMicrosPromised + " µs, step " + stepMicrosBefore + " to " + stepMicrosPromised + " µs");
        }
    }

    /** For people: {@code step 41.3 → 36.8 ms}. */
    public String summary() {
        return String.format(
                Locale.ROOT,
                "step %.3f → %.3f ms%s",
                stepMicrosBefore / 1e3,
                stepMicrosPromised / 1e3,
                assumed ? " (assumed)" : "");
    }
}
