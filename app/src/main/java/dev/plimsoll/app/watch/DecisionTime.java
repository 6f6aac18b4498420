package dev.plimsoll.app.watch;

import dev.plimsoll.model.Gain;
import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.StepPromise;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Step time of a decision in all its forms, in microseconds.
 *
 * @param before promised of the newest window's tokens under the placement before
 * @param promised the same under the decision
 * @param measured as ranks measured it in the windows after
 * @param without what the same tokens would have taken under the placement before: measured, and what the experts save by the
 *     profile, at the scale that the promise was made with
 */
public record DecisionTime(double before, double promised, double measured, double without) {

    /** Of what came of a decision; empty where a part is not known. */
    static Optional<DecisionTime> of(Outcome outcome) {
        return outcome.step().flatMap(promise -> outcome.measured().flatMap(gain -> of(promise, gain)));
    }

    private static Optional<DecisionTime> of(StepPromise promise, MeasuredGain gain) {
        OptionalDouble step = gain.stepMicros();
        OptionalDouble with = gain.expertMicrosWith();
        OptionalDouble without = gain.expertMicrosWithout();
        if (step.isEmpty() || with.isEmpty() || without.isEmpty()) {
            return Optional.empty();
        }
        double saved = without.getAsDouble() - with.getAsDouble();
        return Optional.of(new DecisionTime(
                promise.stepMicrosBefore(),
                promise.stepMicrosPromised(),
                step.getAsDouble(),
                Math.max(0, step.getAsDouble() + scale(promise) * saved)));
    }

    /** Step time for each microsecond of expert time, as the promise has it. */
    private static double scale(StepPromise promise) {
        double experts = promise.expertMicrosBefore() - promise.expertMicrosPromised();
        double step = promise.stepMicrosBefore() - promise.stepMicrosPromised();
        return Math.abs(experts) < 1e-6 || step / experts <= 0 ? 1 : step / experts;
    }

    /** What the decision has promised of a step. */
    public double promisedGain() {
        return Gain.of(before, promised);
    }

    /** What the decision has brought of a step, on the same tokens. */
    public double gain() {
        return Gain.of(without, measured);
    }
}
