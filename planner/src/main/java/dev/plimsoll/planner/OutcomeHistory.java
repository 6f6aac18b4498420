package dev.plimsoll.planner;

import dev.plimsoll.model.MeasuredGain;
import dev.plimsoll.model.Outcome;
import dev.plimsoll.planner.placement.Experience;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The newest outcomes of one deployment's decisions, one of each, and what they teach. Pure; for one thread. */
final class OutcomeHistory {
    /** Decisions that are remembered: an hour of them, where a deployment changes often. */
    static final int MOST = 16;

    /** Decisions as promised that stand for what is not known yet. */
    private static final int ASSUMED = 2;

    /** What is remembered once, however often it was measured. */
    record Decision(long incarnation, int version) {
        static Decision of(Outcome outcome) {
            return new Decision(outcome.incarnation(), outcome.version());
        }
    }

    /** In the order in which they were first measured. */
    private final Map<Decision, Outcome> outcomes = new LinkedHashMap<>();

    /** The next outcome in the order of the log; takes the place of an earlier one of the same decision. */
    void add(Outcome outcome) {
        outcomes.put(Decision.of(outcome), outcome);
        if (outcomes.size() > MOST) {
            outcomes.remove(outcomes.keySet().iterator().next());
        }
    }

    /** The newest outcome of each decision that is remembered, in the order in which they were first measured. */
    List<Outcome> remembered() {
        return List.copyOf(outcomes.values());
    }

    /** The newest outcome of a decision. */
    Optional<Outcome> of(long incarnation, int version) {
        return Optional.ofNullable(outcomes.get(new Decision(incarnation, version)));
    }

    /**
     * What the decisions of a policy teach that were measured to their end: promises of another are none of its. Those of which nobody
     * says whose they were teach every policy.
     */
    Experience experience(String policy) {
        List<Outcome> measured = outcomes.values().stream()
                .filter(outcome -> outcome.policy().map(policy::equals).orElse(true))
                .filter(outcome -> outcome.last()
                        && outcome.measured().isPresent()
                        && outcome.promisedGain().orElse(0) > 0)
                .toList();
        if (measured.isEmpty()) {
            return Experience.NONE;
        }
        int count = measured.size();
        double[] delivered = measured.stream()
                .mapToDouble(outcome -> Math.min(
                        1,
                        Math.max(
                                0, gain(outcome).gain() / outcome.promisedGain().orElseThrow())))
                .toArray();
        double[] errors = measured.stream()
                .map(OutcomeHistory::gain)
                .filter(gain -> gain.windows() > 1)
                .mapToDouble(OutcomeHistory::error)
                .toArray();
        return new Experience(
                (count * median(delivered) + ASSUMED) / (count + ASSUMED),
                errors.length == 0 ? 0 : median(errors),
                lasting(measured),
                count);
    }

    /** As of things that end by chance, some of which were watched for a while only: time watched ÷ ends seen. */
    private static OptionalInt lasting(List<Outcome> measured) {
        long windows = 0;
        int halved = 0;
        for (Outcome outcome : measured) {
            windows += gain(outcome).lasted();
            halved += gain(outcome).halved() ? 1 : 0;
        }
        return halved == 0
                ? OptionalInt.empty()
                : OptionalInt.of((int) Math.max(1, Math.round((double) windows / halved)));
    }

    /** Standard error of a mean gain: what is below it cannot be told from none. */
    private static double error(MeasuredGain gain) {
        return gain.spread() / Math.sqrt(gain.windows());
    }

    private static MeasuredGain gain(Outcome outcome) {
        return outcome.measured().orElseThrow();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
