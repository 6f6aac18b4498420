package dev.plimsoll.model;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a settled decision had promised and what came of it. Written when its first window has been measured and once more when its last
 * has been: of one incarnation and version the newest counts.
 *
 * @param version the placement that settled
 * @param windowIndex the first complete window that ran wholly under the new placement
 * @param before mean balancedness of the window that the plan was made from
 * @param predicted mean balancedness promised
 * @param realised balancedness of that first window as it was counted
 * @param promisedGain {@link Gain} that the decision promised; empty where the planner did not say
 * @param step what it promised in time; empty where no device profile was known
 * @param measured what it has brought; empty where the placement before is not known, or the planner did not say
 * @param policy whose plan it was; empty where the planner did not say
 */
public record Outcome(
        Deployment deployment,
        long incarnation,
        int version,
        long windowIndex,
        int moves,
        double before,
        double predicted,
        Balance realised,
        OptionalDouble promisedGain,
        Optional<StepPromise> step,
        Optional<MeasuredGain> measured,
        Optional<String> policy) {
    /** One of a planner that does not say whose plan it was. */
    public Outcome(
            Deployment deployment,
            long incarnation,
            int version,
            long windowIndex,
            int moves,
            double before,
            double predicted,
            Balance realised,
            OptionalDouble promisedGain,
            Optional<StepPromise> step,
            Optional<MeasuredGain> measured) {
        this(
                deployment,
                incarnation,
                version,
                windowIndex,
                moves,
                before,
                predicted,
                realised,
                promisedGain,
                step,
                measured,
                Optional.empty());
    }

    /** One that nothing is known of but its first window. */
    public Outcome(
            Deployment deployment,
            long incarnation,
            int version,
            long windowIndex,
            int moves,
            double before,
            double predicted,
            Balance realised) {
        this(
                deployment,
                incarnation,
                version,
                windowIndex,
                moves,
                before,
                predicted,
                realised,
                OptionalDouble.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /** Whether there will be no other of the same decision. */
    public boolean last() {
        return measured.map(MeasuredGain::last).orElse(true);
    }

    /** One line for people. */
    public String summary() {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "v%d: %d moves, ", version, moves));
        step.ifPresent(promise -> {
            text.append(promise.summary()).append(" promised, ");
            measured.map(MeasuredGain::stepMicros)
                    .filter(OptionalDouble::isPresent)
                    .ifPresent(micros ->
                            text.append(String.format(Locale.ROOT, "%.3f measured, ", micros.getAsDouble() / 1e3)));
        });
        measured.ifPresent(found -> {
            text.append(String.format(Locale.ROOT, "gain %.1f %%", 100 * found.gain()));
            promisedGain.ifPresent(gain -> text.append(String.format(Locale.ROOT, " of %.1f %% promised", 100 * gain)));
            text.append(" (").append(found.summary()).append("), ");
        });
        return text.append(String.format(
                        Locale.ROOT,
                        "balancedness %.3f, predicted %.3f, realised %.3f (worst layer %d: %.3f)",
                        before,
                        predicted,
                        realised.mean(),
                        realised.worstLayer(),
                        realised.min()))
                .toString();
    }
}
