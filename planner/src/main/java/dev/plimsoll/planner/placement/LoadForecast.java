package dev.plimsoll.planner.placement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the next window of a layer is expected to bring, and in which ways that is usually wrong.
 *
 * <p>All is in shares of the layer's load, so that windows with more traffic do not weigh more. The forecast blends decayed means
 * of several memories with two trends, each weighing by how well it foretold the last windows: so the memory is long where the load
 * is steady and noisy, and short where it drifts. A jump (an error far above the usual ones) makes it forget all that was before.
 * Its errors on past windows, and how the newest window's sub-samples differ from each other, show which experts rise together:
 * {@link #scenarios} keeps the strongest of these patterns.
 */
final class LoadForecast {
    /** Windows that are looked back on. */
    static final int WINDOWS = 24;

    /** Weight of the newest window in each decayed mean. */
    private static final double[] MEMORIES = {1, 0.6, 0.35, 0.2, 0.1, 0.05};
    /** Trends: the newest window's change goes on by 0.7; the change over two windows goes on by a half. */
    private static final int TRENDS = 2;

    private static final double TREND = 0.7;
    /** Weight of a window's errors relative to those of the window after it, when predictors are compared. */
    private static final double DECAY_OF_ERRORS = 0.8;
    /** An error of that many times the median one is a jump. */
    private static final double JUMP = 6;

    private static final int ENERGIES = 12;
    /** Errors that patterns are taken from, and their weight relative to the next one's. */
    private static final int ERRORS = 16;

    private static final double DECAY_OF_PATTERNS = 0.9;
    /** An error weighs at most as much as one of that many times the usual energy: a jump is not a pattern that comes back. */
    private static final double MOST_ENERGY = 20;
    /** Errors are trusted as if that many windows of knowing nothing came before them. */
    private static final double PRIOR_WINDOWS = 2;
    /** Sub-samples are merged to that many. */
    private static final int PARTS = 8;
    /** Variance of a window as a part of its sub-samples' variance, where nothing better is known. */
    private static final double VARIANCE_OF_PARTS = 0.3;
    /** Part of that variance which stays when errors are known. */
    private static final double PARTS_BESIDE_ERRORS = 0.3;

    private final int experts;
    /** Whether what is learned are shares, which add up to 1. */
    private final boolean shared;

    private final double[][] means;
    private final double[][] predictions;
    private final double[] errorOf;
    private final List<double[]> errors = new ArrayList<>();
    private final List<Double> energies = new ArrayList<>();
    private final List<double[]> shares = new ArrayList<>();
    private double[] forecast;
    private double[][] parts = {};
    private int sinceJump;

    private LoadForecast(int experts, boolean shared) {
        this.experts = experts;
        this.shared = shared;
        this.means = new double[MEMORIES.length][experts];
        this.predictions = new double[MEMORIES.length + TRENDS][experts];
        this.errorOf = new double[predictions.length];
        this.forecast = new double[experts];
    }

    /** The forecast of a layer from the newest {@value #WINDOWS} windows, without those in which it has no load. */
    static LoadForecast of(List<ExpertLoad> windows, int layer) {
        LoadForecast forecast = new LoadForecast(windows.get(0).experts(), true);
        int from = Math.max(0, windows.size() - WINDOWS);
        @Nullable ExpertLoad newest = null;
        for (ExpertLoad window : windows.subList(from, windows.size())) {
            double[] share = window.layer(layer);
            if (normalize(share)) {
                forecast.learn(share);
                newest = window;
            }
        }
        if (newest != null) {
            forecast.parts = parts(newest, layer, forecast.shares.get(forecast.shares.size() - 1));
        }
        return forecast;
    }

    /** The forecast of a single level, none of which is negative, window by window. */
    static LoadForecast ofLevels(double[] levels) {
        LoadForecast forecast = new LoadForecast(1, false);
        for (double level : levels) {
            forecast.learn(new double[] {level});
        }
        return forecast;
    }

    /** Mean square of the last errors, the newest weighing most; a jump counts as what is usual many times over. */
    double errorVariance() {
        double most = errors.isEmpty() ? 0 : MOST_ENERGY * usualEnergy();
        double sum = 0;
        double weights = 0;
        double weight = 1;
        for (int age = errors.size() - 1; age >= Math.max(0, errors.size() - ERRORS); age--) {
            sum += weight * Math.min(most, energies.get(age));
            weights += weight;
            weight *= DECAY_OF_PATTERNS;
        }
        return weights == 0 ? 0 : sum / weights;
    }

    /** Whether any window had load. */
    boolean known() {
        return !shares.isEmpty();
    }

    /** {@code [expert]}, adds up to 1 but for rounding; not to be written to. */
    double[] share() {
        return forecast;
    }

    private static boolean normalize(double[] load) {
        double sum = 0;
        for (double value : load) {
            sum += value;
        }
        if (sum == 0) {
            return false;
        }
        for (int i = 0; i < load.length; i++) {
            load[i] /= sum;
        }
        return true;
    }

    /** How parts of the window differ from all of it, {@code [part][expert]}. */
    private static double[][] parts(ExpertLoad window, int layer, double[] share) {
        int samples = window.samples();
        double[][] parts = new double[samples == 1 ? 0 : Math.min(PARTS, samples)][share.length];
        for (int part = 0; part < parts.length; part++) {
            for (int sample = part * samples / parts.length; sample < (part + 1) * samples / parts.length; sample++) {
                for (int expert = 0; expert < share.length; expert++) {
                    parts[part][expert] += window.at(layer, sample, expert);
                }
            }
            if (normalize(parts[part])) {
                for (int expert = 0; expert < share.length; expert++) {
                    parts[part][expert] -= share[expert];
                }
            }
        }
        return parts;
    }

    private void learn(double[] share) {
        if (!shares.isEmpty()) {
            judge(share);
        }
        shares.add(share);
        sinceJump++;
        for (int i = 0; i < means.length; i++) {
            double weight = Math.max(MEMORIES[i], 1.0 / sinceJump);
            for (int expert = 0; expert < experts; expert++) {
                means[i][expert] += weight * (share[expert] - means[i][expert]);
            }
            System.arraycopy(means[i], 0, predictions[i], 0, experts);
        }
        followTrends();
        blend();
    }

    /** Takes the errors of what was foretold. */
    private void judge(double[] share) {
        double[] error = share.clone();
        Vectors.addTo(error, -1, forecast);
        double energy = Vectors.dot(error, error);
        double[] squares = new double[predictions.length];
        double sum = 0;
        for (int i = 0; i < predictions.length; i++) {
            squares[i] = Vectors.squaredDistance(share, predictions[i]);
            sum += squares[i];
        }
        for (int i = 0; i < predictions.length; i++) {
            // Relative to the others', or one jump, which all of them miss, would outweigh everything that they differ
            // in.
            double relative = sum == 0 ? 1 : squares[i] / sum * predictions.length;
            errorOf[i] = errorOf[i] * DECAY_OF_ERRORS + relative;
        }
        if (shares.size() > 2 && energy > JUMP * usualEnergy()) {
            for (double[] mean : means) {
                System.arraycopy(share, 0, mean, 0, experts);
            }
            sinceJump = 1;
        }
        errors.add(error);
        energies.add(energy);
    }

    private double usualEnergy() {
        double[] last = energies.subList(Math.max(0, energies.size() - ENERGIES), energies.size()).stream()
                .mapToDouble(Double::doubleValue)
                .toArray();
        Arrays.sort(last);
        return last[last.length / 2];
    }

    private void followTrends() {
        int now = shares.size() - 1;
        double[] newest = shares.get(now);
        double[] fast = predictions[MEMORIES.length];
        double[] slow = predictions[MEMORIES.length + 1];
        for (int expert = 0; expert < experts; expert++) {
            fast[expert] = now < 1
                    ? newest[expert]
                    : Math.max(0, newest[expert] + TREND * (newest[expert] - shares.get(now - 1)[expert]));
            slow[expert] = now < 3
                    ? newest[expert]
                    : Math.max(
                            0,
                            means[1][expert]
                                    + (newest[expert]
                                                    + shares.get(now - 1)[expert]
                                                    - shares.get(now - 2)[expert]
                                                    - shares.get(now - 3)[expert])
                                            / 4);
        }
    }

    private void blend() {
        double best = Double.POSITIVE_INFINITY;
        for (double error : errorOf) {
            best = Math.min(best, error);
        }
        double[] weight = new double[predictions.length];
        double sum = 0;
        for (int i = 0; i < weight.length; i++) {
            boolean trend = i >= MEMORIES.length;
            double ratio;
            if (errors.isEmpty()) {
                ratio = i == 0 ? 1 : 0;
            } else if (trend && sinceJump < 5) {
                ratio = 0;
            } else {
                ratio = errorOf[i] == 0 ? 1 : best / errorOf[i];
            }
            double cube = ratio * ratio * ratio;
            weight[i] = cube * cube;
            sum += weight[i];
        }
        forecast = new double[experts];
        for (int i = 0; i < weight.length; i++) {
            double part = weight[i] / sum;
            if (part > 0) {
                Vectors.addTo(forecast, part, predictions[i]);
            }
        }
        // Trends that are cut off at 0 add up to more than 1.
        if (shared) {
            normalize(forecast);
        }
    }

    /** The loads that the next window may bring. */
    Scenarios scenarios(int ranks) {
        double[][] rows = patterns();
        PrincipalDirections found = PrincipalDirections.of(rows, Scenarios.COUNT - 1);
        // What is left over has no pattern; its variance adds up over the experts of a rank.
        return Scenarios.of(forecast, found.directions(), ranks, found.rest() * ranks);
    }

    /** Errors and differences of parts, {@code [pattern][expert]}, scaled so that their squares add up to the variance expected. */
    private double[][] patterns() {
        int known = Math.min(ERRORS, errors.size());
        double[][] rows = new double[known + parts.length][experts];
        double weights = 0;
        double weight = 1;
        for (int i = 0; i < known; i++) {
            weights += weight;
            weight *= DECAY_OF_PATTERNS;
        }
        double trust = known / (known + PRIOR_WINDOWS);
        double most = known == 0 ? 0 : MOST_ENERGY * usualEnergy();
        weight = 1;
        for (int i = 0; i < known; i++) {
            int age = errors.size() - 1 - i;
            double energy = energies.get(age);
            double tamed = energy > most ? most / energy : 1;
            scaleInto(rows[i], errors.get(age), Math.sqrt(weight * trust / weights * tamed));
            weight *= DECAY_OF_PATTERNS;
        }
        double ofParts = VARIANCE_OF_PARTS * (1 - trust * (1 - PARTS_BESIDE_ERRORS));
        for (int i = 0; i < parts.length; i++) {
            scaleInto(rows[known + i], parts[i], Math.sqrt(ofParts / parts.length));
        }
        return rows;
    }

    private static void scaleInto(double[] target, double[] source, double factor) {
        for (int i = 0; i < target.length; i++) {
            target[i] = source[i] * factor;
        }
    }
}
