package dev.plimsoll.replay.score.time;

import java.util.List;

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

    public double mean() {
        return Summary.of(micros).mean();
    }

    public Summary summary() {
        return Summary.of(micros);
    }
}
