package dev.plimsoll.planner.placement;

import dev.plimsoll.model.StepCalibration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What share of a step experts take, and how true a device profile is, from windows whose steps were timed.
 *
 * <p>A step takes {@code other + scale × expert time}. Every flip is an experiment: traffic is what it was, and expert time is not. So each
 * two windows with about the same tokens per step and different expert times give a slope, and the scale is their median, weighed by how
 * far apart they are and how little disturbed (Theil, 1950; Sen, 1968): a few windows in which something else happened do not move it.
 * Windows with different tokens are not held against each other, as the rest of a step takes other times then. What remains of step time
 * is that rest, by windows with as many tokens as the newest.
 *
 * <p>The interval is that of a straight line through these points, with the spread that they have about it, and what the model of expert
 * times may be wrong by. A scale is assumed until the
 * interval is within {@value #MOST_UNCERTAIN} of it: then the profile is taken at its word where step time has room for it, and else
 * experts are taken to have the share of a step that is stated. Pure; fixed order of arithmetic.
 */
public final class Calibration {
    /** Tokens per step that differ by no more are alike. */
    static final double LIKE = 0.05;
    /** What expert times by the model are true to, differently for different placements; no number of windows makes up for that. */
    private static final double TRUE_TO = 0.004;

    private static final int LEAST_WINDOWS = 6;
    private static final double MOST_UNCERTAIN = 0.25;
    /** Standard deviations to either side that hold 95 %, as the deviation is itself taken from a median of some tens of windows. */
    private static final double HOLD_95 = 2.2;
    /** Median of the distance from the middle, to a normal distribution's standard deviation. */
    private static final double DEVIATIONS_PER_MEDIAN = 1.4826;
    /** Median slopes are that much less certain than least squares where errors are normal: π ÷ 3, as a variance. */
    private static final double MEDIAN_VARIANCE = Math.PI / 3;

    private record Weighed(double value, double weight) {}

    /**
     * A scale and half of its interval.
     *
     * @param windows that had another to be held against
     */
    private record Line(double scale, double half, int windows) {
        private static final Line NONE = new Line(1, Double.POSITIVE_INFINITY, 0);

        boolean known() {
            return windows >= LEAST_WINDOWS && half <= MOST_UNCERTAIN * scale;
        }
    }

    private final List<TimedWindow> windows;
    private final ToDoubleFunction<TimedWindow> time;
    private final double calmest;

    private Calibration(List<TimedWindow> windows, ToDoubleFunction<TimedWindow> time) {
        this.windows = windows;
        this.time = time;
        this.calmest = windows.stream().mapToDouble(TimedWindow::calm).max().orElse(0);
    }

    /** What is assumed where nobody times steps: the profile at its word, and experts to have that share of a step. */
    public static StepCalibration assumed(double expertMicros, double share) {
        return new StepCalibration(1, 1, 1, expertMicros * (1 - share) / share, 0, 0, expertMicros, expertMicros, true);
    }

    /**
     * The calibration by these windows.
     *
     * @param windows at least one, oldest first
     * @param assumedShare of a step that experts have where nothing else is known, in (0, 1]
     */
    public static StepCalibration of(List<TimedWindow> windows, double assumedShare) {
        Calibration byMean = new Calibration(windows, TimedWindow::stepMicros);
        Line mean = byMean.line();
        // Steps that nothing disturbs say less of the mean, and are to be believed where disturbances hide everything.
        Line undisturbed = new Calibration(windows, TimedWindow::undisturbedMicros).line();
        Line line = undisturbed.half() < mean.half() / 2 ? undisturbed : mean;
        TimedWindow newest = windows.get(windows.size() - 1);
        if (line.known()) {
            return byMean.with(line.scale(), line.half(), byMean.rest(newest, line.scale()), false);
        }
        // Each window's step beside what experts took in it: the windows may have run under other placements than the
        // newest.
        double other = byMean.rest(newest, 1);
        double scale = other > 0 ? 1 : byMean.scaleOfShare(newest, assumedShare);
        return byMean.with(scale, 0, byMean.rest(newest, scale), true);
    }

    /** The scale by which experts have that share of a step, by the windows with as many tokens; 1 where no step was timed. */
    private double scaleOfShare(TimedWindow of, double share) {
        List<Weighed> scales = new ArrayList<>();
        for (TimedWindow window : windows) {
            if (window.isLike(of) && window.expertMicros() > 0) {
                scales.add(new Weighed(share * time.applyAsDouble(window) / window.expertMicros(), weight(window)));
            }
        }
        double scale = median(scales);
        return scale > 0 ? scale : 1;
    }

    private StepCalibration with(double scale, double half, double other, boolean assumed) {
        int flips = 0;
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (int i = 0; i < windows.size(); i++) {
            flips += i > 0 && windows.get(i).version() != windows.get(i - 1).version() ? 1 : 0;
            least = Math.min(least, windows.get(i).expertMicros());
            most = Math.max(most, windows.get(i).expertMicros());
        }
        return new StepCalibration(
                scale, scale - half, scale + half, Math.max(0, other), windows.size(), flips, least, most, assumed);
    }

    private Line line() {
        List<Weighed> slopes = new ArrayList<>();
        BitSet held = new BitSet();
        for (int i = 0; i < windows.size(); i++) {
            for (int j = i + 1; j < windows.size(); j++) {
                TimedWindow a = windows.get(i);
                TimedWindow b = windows.get(j);
                double apart = b.expertMicros() - a.expertMicros();
                if (a.isLike(b) && apart != 0) {
                    double slope = (time.applyAsDouble(b) - time.applyAsDouble(a)) / apart;
                    slopes.add(new Weighed(slope, weight(a) * weight(b) * Math.abs(apart)));
                    held.set(i);
                    held.set(j);
                }
            }
        }
        double scale = median(slopes);
        return scale > 0 ? new Line(scale, half(scale, held), held.cardinality()) : Line.NONE;
    }

    /** Half of the interval: how certain the slope of a line is through points that lie so far apart, and so far beside it. */
    private double half(double scale, BitSet held) {
        List<Weighed> beside = new ArrayList<>();
        double apart = 0;
        for (int i = held.nextSetBit(0); i >= 0; i = held.nextSetBit(i + 1)) {
            TimedWindow window = windows.get(i);
            double off = time.applyAsDouble(window) - scale * window.expertMicros() - rest(window, scale);
            beside.add(new Weighed(Math.abs(off), weight(window)));
            double away = window.expertMicros() - meanExpertMicros(window);
            apart += weight(window) * away * away;
        }
        int count = beside.size();
        if (count < 3 || !(apart > 0)) {
            return Double.POSITIVE_INFINITY;
        }
        double deviation = DEVIATIONS_PER_MEDIAN * median(beside) * Math.sqrt(count / (count - 2.0));
        double least = held.stream()
                .mapToDouble(i -> windows.get(i).expertMicros())
                .min()
                .orElseThrow();
        double most = held.stream()
                .mapToDouble(i -> windows.get(i).expertMicros())
                .max()
                .orElseThrow();
        double ofModel = scale * TRUE_TO * 2 * most / (most - least);
        return ofModel + HOLD_95 * deviation * Math.sqrt(MEDIAN_VARIANCE / apart);
    }

    /** What a step takes beside its experts at that scale, by the windows with as many tokens. */
    private double rest(TimedWindow of, double scale) {
        List<Weighed> rests = new ArrayList<>();
        for (TimedWindow window : windows) {
            if (window.isLike(of)) {
                rests.add(new Weighed(time.applyAsDouble(window) - scale * window.expertMicros(), weight(window)));
            }
        }
        return median(rests);
    }

    private double meanExpertMicros(TimedWindow of) {
        double sum = 0;
        double weights = 0;
        for (TimedWindow window : windows) {
            if (window.isLike(of)) {
                sum += weight(window) * window.expertMicros();
                weights += weight(window);
            }
        }
        return sum / weights;
    }

    private double weight(TimedWindow window) {
        double calm = calmest > 0 ? window.calm() / calmest : 1;
        return calm * calm;
    }

    /** The value that half of the weight does not exceed; 0 without any. */
    private static double median(List<Weighed> values) {
        List<Weighed> ascending = new ArrayList<>(values);
        ascending.sort(Comparator.comparingDouble(Weighed::value));
        double weights = 0;
        for (Weighed weighed : ascending) {
            weights += weighed.weight();
        }
        double below = 0;
        for (Weighed weighed : ascending) {
            below += weighed.weight();
            if (2 * below >= weights) {
                return weighed.value();
            }
        }
        return 0;
    }
}
