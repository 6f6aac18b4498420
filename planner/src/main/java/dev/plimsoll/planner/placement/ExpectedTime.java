package dev.plimsoll.planner.placement;

import dev.plimsoll.model.DeviceProfile;

/**
 * Expected time of a slot's step by how many tokens it gets per step on average: the mean of {@link DeviceProfile#expertMicros} over
 * a Poisson count.
 *
 * <p>An expert that is chosen by 0.5 tokens a step is not read in e<sup>-0.5</sup> = 61 % of the steps, and that time is gained: so
 * the expected time is a function of the mean alone, and below the roofline's knee it is {@code weights · (1 - e^-λ)}.
 *
 * <p>Tabulated at {@value #PER_OCTAVE} points between each two powers of two and interpolated. The points are told by the bits of the
 * number and all exponentials are {@link StrictMath}'s, so values are the same on any JVM. Immutable.
 */
public final class ExpectedTime {
    private static final int PER_OCTAVE_BITS = 5;
    private static final int PER_OCTAVE = 1 << PER_OCTAVE_BITS;
    /** Means below 2^-10 are on a straight line from 0, means above 2^22 on one with the last slope. */
    private static final int LEAST_EXPONENT = -10;

    private static final int MOST_EXPONENT = 22;
    /** Up to that mean counts are added up one by one; above, three points of a normal distribution stand for them. */
    private static final double MOST_COUNTED = 1024;

    private static final int SHIFT = 52 - PER_OCTAVE_BITS;
    private static final long FIRST = Double.doubleToRawLongBits(StrictMath.scalb(1.0, LEAST_EXPONENT)) >>> SHIFT;

    private final DeviceProfile profile;
    private final double[] mean;
    private final double[] micros;
    private final double[] variance;
    /** What one more token adds from each point to the next. */
    private final double[] slope;

    public ExpectedTime(DeviceProfile profile) {
        this.profile = profile;
        int count = (MOST_EXPONENT - LEAST_EXPONENT) * PER_OCTAVE + 1;
        this.mean = new double[count];
        this.micros = new double[count];
        this.variance = new double[count];
        for (int i = 0; i < count; i++) {
            mean[i] = Double.longBitsToDouble((FIRST + i) << SHIFT);
            tabulate(i);
            // Counts rise with their mean and times with counts; only rounding could have it otherwise.
            micros[i] = Math.max(micros[i], i == 0 ? 0 : micros[i - 1]);
        }
        this.slope = slopes(mean, micros);
    }

    private ExpectedTime(DeviceProfile profile, double[] mean, double[] micros, double[] variance) {
        this.profile = profile;
        this.mean = mean;
        this.micros = micros;
        this.variance = variance;
        this.slope = slopes(mean, micros);
    }

    private static double[] slopes(double[] mean, double[] values) {
        double[] slope = new double[mean.length - 1];
        for (int at = 0; at < slope.length; at++) {
            slope[at] = (values[at + 1] - values[at]) / (mean[at + 1] - mean[at]);
        }
        return slope;
    }

    /**
     * The same where the variance of a slot's step counts as time too, so that it is better to be slow always than now and then; still
     * never less with more tokens.
     *
     * @param perVariance microseconds for each microsecond squared
     */
    ExpectedTime withVariance(double perVariance) {
        double[] risen = new double[mean.length];
        double most = 0;
        for (int i = 0; i < mean.length; i++) {
            most = Math.max(most, micros[i] + perVariance * variance[i]);
            risen[i] = most;
        }
        return new ExpectedTime(profile, mean, risen, variance);
    }

    /** What it was tabulated from. */
    public DeviceProfile profile() {
        return profile;
    }

    /** Expected time of a slot's step in microseconds; what a token that is received costs is in it. */
    public double micros(double tokensPerStep) {
        if (!(tokensPerStep > mean[0])) {
            return tokensPerStep > 0 ? micros[0] * (tokensPerStep / mean[0]) : 0;
        }
        int at = below(tokensPerStep);
        return micros[at] + (tokensPerStep - mean[at]) * slope[at];
    }

    /** Variance of a slot's step in microseconds squared: what one step differs from the next by chance. */
    double variance(double tokensPerStep) {
        if (!(tokensPerStep > mean[0])) {
            return tokensPerStep > 0 ? variance[0] * (tokensPerStep / mean[0]) : 0;
        }
        int at = below(tokensPerStep);
        return variance[at]
                + (tokensPerStep - mean[at]) * ((variance[at + 1] - variance[at]) / (mean[at + 1] - mean[at]));
    }

    /** The last point below, or the last but one. */
    private int below(double tokensPerStep) {
        return (int) Math.min((Double.doubleToRawLongBits(tokensPerStep) >>> SHIFT) - FIRST, mean.length - 2);
    }

    /** The most tokens per step with which a slot is expected to take no longer; 0 where it takes longer with any. */
    double mostTokens(double longest) {
        int last = micros.length - 1;
        if (longest >= micros[last]) {
            double slope = (micros[last] - micros[last - 1]) / (mean[last] - mean[last - 1]);
            return slope > 0 ? mean[last] + (longest - micros[last]) / slope : Double.POSITIVE_INFINITY;
        }
        if (longest < micros[0]) {
            return Math.max(0, longest) / micros[0] * mean[0];
        }
        int from = 0;
        int to = last;
        while (to - from > 1) {
            int middle = (from + to) >>> 1;
            if (micros[middle] <= longest) {
                from = middle;
            } else {
                to = middle;
            }
        }
        return mean[from] + (longest - micros[from]) / (micros[to] - micros[from]) * (mean[to] - mean[from]);
    }

    private void tabulate(int i) {
        double lambda = mean[i];
        if (lambda > MOST_COUNTED) {
            double away = StrictMath.sqrt(3 * lambda);
            double low = profile.slotMicros(lambda - away);
            double middle = profile.slotMicros(lambda);
            double high = profile.slotMicros(lambda + away);
            set(i, (low + 4 * middle + high) / 6, (low * low + 4 * middle * middle + high * high) / 6);
            return;
        }
        double sum = 0;
        double squares = 0;
        double spread = StrictMath.sqrt(lambda);
        int from = (int) Math.max(1, lambda - 10 * spread - 10);
        int to = (int) (lambda + 10 * spread + 20);
        // The probability of the first count from its logarithm, as e^-λ alone is 0 for a large mean.
        double logOfFirst = -lambda + from * StrictMath.log(lambda);
        for (int n = 2; n <= from; n++) {
            logOfFirst -= StrictMath.log(n);
        }
        double probability = StrictMath.exp(logOfFirst);
        for (int n = from; n <= to; n++) {
            double time = profile.slotMicros(n);
            sum += probability * time;
            squares += probability * time * time;
            probability *= lambda / (n + 1);
        }
        set(i, sum, squares);
    }

    private void set(int i, double expected, double ofSquare) {
        micros[i] = expected;
        variance[i] = Math.max(0, ofSquare - expected * expected);
    }
}
