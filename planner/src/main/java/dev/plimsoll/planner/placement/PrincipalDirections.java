package dev.plimsoll.planner.placement;

/**
 * The few directions in which a set of patterns varies most, and how much variance they leave out.
 *
 * <p>Subspace iteration on the patterns' Gram matrix (orthogonal iteration, as in Golub and Van Loan, Matrix Computations), which
 * is small, as there are fewer patterns than experts. The directions span the space of the largest principal components; within
 * it they may be turned, which leaves the covariance that they add up to as it is.
 *
 * @param directions {@code [direction][expert]}, scaled by standard deviation, less what noise alone would show
 * @param rest sum of squares that no direction shows
 */
record PrincipalDirections(double[][] directions, double rest) {
    private static final int ITERATIONS = 5;

    /** @param patterns {@code [pattern][expert]}, mean zero, whose outer products add up to the covariance */
    static PrincipalDirections of(double[][] patterns, int most) {
        int rows = patterns.length;
        double[][] gram = gram(patterns);
        double trace = 0;
        for (int i = 0; i < rows; i++) {
            trace += gram[i][i];
        }
        int count = Math.min(most, rows);
        double[][] basis = start(gram, count);
        double[] variance = new double[count];
        for (int iteration = 0; iteration < ITERATIONS; iteration++) {
            double[][] image = new double[count][rows];
            for (int d = 0; d < count; d++) {
                for (int i = 0; i < rows; i++) {
                    image[d][i] = Vectors.dot(gram[i], basis[d]);
                }
                variance[d] = Vectors.dot(basis[d], image[d]);
            }
            basis = image;
            orthonormalize(basis);
        }
        double shown = 0;
        for (double value : variance) {
            shown += value;
        }
        double rest = Math.max(0, trace - shown);
        double noise = rows > count ? rest / (rows - count) : 0;
        return new PrincipalDirections(combine(patterns, basis, variance, noise), rest);
    }

    private static double[][] gram(double[][] patterns) {
        double[][] gram = new double[patterns.length][patterns.length];
        for (int i = 0; i < patterns.length; i++) {
            for (int j = 0; j <= i; j++) {
                gram[i][j] = Vectors.dot(patterns[i], patterns[j]);
                gram[j][i] = gram[i][j];
            }
        }
        return gram;
    }

    /** The largest patterns, so that a start is not by chance at a right angle to what is sought. */
    private static double[][] start(double[][] gram, int count) {
        double[][] basis = new double[count][gram.length];
        boolean[] taken = new boolean[gram.length];
        for (int d = 0; d < count; d++) {
            int largest = -1;
            for (int i = 0; i < gram.length; i++) {
                if (!taken[i] && (largest < 0 || gram[i][i] > gram[largest][largest])) {
                    largest = i;
                }
            }
            taken[largest] = true;
            basis[d][largest] = 1;
        }
        return basis;
    }

    /** Gram and Schmidt's, twice over for accuracy; a vector that depends on those before it becomes zero. */
    private static void orthonormalize(double[][] basis) {
        for (int d = 0; d < basis.length; d++) {
            double before = Vectors.dot(basis[d], basis[d]);
            for (int pass = 0; pass < 2; pass++) {
                for (int other = 0; other < d; other++) {
                    double along = Vectors.dot(basis[d], basis[other]);
                    Vectors.addTo(basis[d], -along, basis[other]);
                }
            }
            double left = Vectors.dot(basis[d], basis[d]);
            double factor = left > 1e-24 * before ? 1 / Math.sqrt(left) : 0;
            for (int i = 0; i < basis[d].length; i++) {
                basis[d][i] *= factor;
            }
        }
    }

    private static double[][] combine(double[][] patterns, double[][] basis, double[] variance, double noise) {
        double[][] directions = new double[basis.length][patterns.length == 0 ? 0 : patterns[0].length];
        for (int d = 0; d < basis.length; d++) {
            double factor = variance[d] > noise ? Math.sqrt((variance[d] - noise) / variance[d]) : 0;
            for (int i = 0; i < patterns.length; i++) {
                Vectors.addTo(directions[d], factor * basis[d][i], patterns[i]);
            }
        }
        return directions;
    }
}
