package dev.plimsoll.replay.score.time;

import java.util.List;

/**
 * How much redundancy is worth its memory: the fewest redundant slots with which a step takes at most so many percent longer than with
 * the best number of them that was tried.
 */
final class Knee {
    private Knee() {}

    /**
     * @param redundant ascending, at least one
     * @param micros mean time of a step with each
     * @param withinPercent at least 0
     */
    static int of(List<Integer> redundant, List<Double> micros, double withinPercent) {
        double best = micros.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
        for (int i = 0; i < redundant.size(); i++) {
            if (micros.get(i) <= best * (1 + withinPercent / 100)) {
                return redundant.get(i);
            }
        }
        throw new IllegalArgumentException("times of steps must be numbers: " + micros);
    }
}
