package dev.plimsoll.replay.score;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a policy scored on a workload, window by window, so that a part of the windows can be compared too.
 *
 * @param balancedness of every scored window, {@code [window][layer]}, layers without load left out
 * @param plans in order of time, at least one
 * @param slots of a layer
 */
public record PlannerScores(String policy, List<double[]> balancedness, List<PlanScore> plans, int slots) {
    private static final double LOW = 0.05;

    /**
     * What one plan cost and promised.
     *
     * @param window index of the newest window it was made from; it is served from the next one on
     * @param inSample balancedness on that window, {@code [layer]}, layers without load left out
     * @param moves slots that get an expert which was not on their rank, per layer
     * @param intoRank most moves into one rank in one layer
     * @param millis processor time of the planning thread, per layer
     * @param valid whether it may be served; if not it was refused whole, and the placement stayed
     */
    record PlanScore(int window, double[] inSample, double moves, int intoRank, double millis, boolean valid) {}

    public PlannerScores {
        balancedness = List.copyOf(balancedness);
        plans = List.copyOf(plans);
    }

    public int windowsScored() {
        return balancedness.size();
    }

    /** Mean balancedness over windows that the plans did not see, and their layers. */
    public double next() {
        return next(windowsScored());
    }

    /** As {@link #next()}, over the first {@code windows} scored windows only. */
    public double next(int windows) {
        return mean(flat(balancedness.subList(0, windows)));
    }

    /** 5th percentile of the balancedness of all scored (window, layer) pairs. */
    public double nextP05() {
        return Quantile.of(flat(balancedness), LOW);
    }

    /** Mean balancedness on the newest window that each plan was made from. */
    public double inSample() {
        return mean(flat(plans.stream().map(PlanScore::inSample).toList()));
    }

    /** Moves per layer of the first plan. */
    public double movesFirst() {
        return plans.get(0).moves();
    }

    /** Moves per layer of a later plan, on average; 0 when there is none. */
    public double movesSteady() {
        return movesSteady(windowsScored());
    }

    /** Moves per layer of a later plan ÷ slots. */
    public double movedShare() {
        return movedShare(windowsScored());
    }

    /** As {@link #movedShare()}, of the plans that the first {@code windows} scored windows were served under. */
    public double movedShare(int windows) {
        return movesSteady(windows) / slots;
    }

    private double movesSteady(int windows) {
        int firstScored = plans.get(0).window();
        return plans.stream()
                .skip(1)
                .filter(plan -> plan.window() < firstScored + windows)
                .mapToDouble(PlanScore::moves)
                .average()
                .orElse(0);
    }

    /** Most moves of any plan into one rank in one layer. */
    public int maxIntoRank() {
        return plans.stream().mapToInt(PlanScore::intoRank).max().orElse(0);
    }

    /** As {@link #maxIntoRank()}, of the plans after the first. */
    public int maxIntoRankSteady() {
        return plans.stream().skip(1).mapToInt(PlanScore::intoRank).max().orElse(0);
    }

    /** Quantile over plans of the time per layer, in milliseconds. */
    public double millisPerLayer(double share) {
        return Quantile.of(plans.stream().mapToDouble(PlanScore::millis).toArray(), share);
    }

    /** Plans that may not be served. */
    public int invalid() {
        return (int) plans.stream().filter(plan -> !plan.valid()).count();
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElse(Double.NaN);
    }

    private static double[] flat(List<double[]> values) {
        return IntStream.range(0, values.size())
                .boxed()
                .flatMapToDouble(window -> Arrays.stream(values.get(window)))
                .toArray();
    }
}
