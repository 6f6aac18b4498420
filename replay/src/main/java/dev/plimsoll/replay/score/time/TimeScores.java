package dev.plimsoll.replay.score.time;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What one line of a table scored.
 *
 * @param micros expert time of a step: of each where steps were served, of each window where they were expected
 * @param balancedness mean over windows and layers
 * @param activeExperts on the slowest rank of a step and layer, mean
 * @param movesFirst slots per layer that the first plan gave an expert which was not on their rank
 * @param movedShare the same of later plans ÷ slots; 0 where there are none
 * @param invalid plans that may not be served; the placement stayed
 * @param idleShare slots that stood idle ÷ slots, mean over what was served
 */
public record TimeScores(
        Contender contender,
        List<Double> micros,
        double balancedness,
        double activeExperts,
        double movesFirst,
        double movedShare,
        int invalid,
        double idleShare) {
    public TimeScores {
        micros = List.copyOf(micros);
    }

    /** The means of several scores of the same contender; their times are the mean of each. */
    static TimeScores mean(List<TimeScores> scores) {
        return new TimeScores(
                scores.get(0).contender,
                scores.stream().map(TimeScores::mean).toList(),
                mean(scores, TimeScores::balancedness),
                mean(scores, TimeScores::activeExperts),
                mean(scores, TimeScores::movesFirst),
                mean(scores, TimeScores::movedShare),
                scores.stream().mapToInt(TimeScores::invalid).sum(),
                mean(scores, TimeScores::idleShare));
    }

    private static double mean(List<TimeScores> scores, ToDoubleFunction<TimeScores> of) {
        return scores.stream().mapToDouble(of).average().orElse(Double.NaN);
    }

    /** Mean expert time of a step, in microseconds. */
    public double mean() {
        return Summary.of(micros).mean();
    }

    /** Mean and quantiles of the expert time of a step. */
    public Summary summary() {
        return Summary.of(micros);
    }
}
