package dev.plimsoll.planner.placement;

/**
 * The least that the slowest rank can take in a step, whatever the placement of a layer; for one scenario.
 *
 * <p>Were it τ, every replica would take at most τ: so each expert has so many replicas at least, they must fit the slots, and what all
 * of them take together, with the cheapest use of the slots left over where none may be idle, must fit the ranks. The
 * least such τ is found by halving.
 */
final class TimeBounds {
    /** How far below the answer what is found may be, as a part of it. */
    private static final double NEAR = 1e-3;

    private final ExpectedTime expected;
    private final double[] tokens;
    private final int stride;
    private final int offset;
    private final int slots;
    private final int ranks;
    private final boolean idle;
    /** Of so many replicas, {@code [expert]}: what they take together, and what each further one adds at least. */
    private final int[] replicas;

    private final double[] together;
    private final double[] further;

    private TimeBounds(
            ExpectedTime expected, double[] tokens, int stride, int offset, int slots, int ranks, boolean idle) {
        this.expected = expected;
        this.tokens = tokens;
        this.stride = stride;
        this.offset = offset;
        this.slots = slots;
        this.ranks = ranks;
        this.idle = idle;
        this.replicas = new int[tokens.length / stride];
        this.together = new double[replicas.length];
        this.further = new double[replicas.length];
    }

    /**
     * @param tokens per step, {@code [expert · stride + offset]}, not negative
     * @param slots of the layer; at least as many as experts
     * @param idle whether slots may be left idle
     * @return microseconds
     */
    static double slowestRank(
            ExpectedTime expected, double[] tokens, int stride, int offset, int slots, int ranks, boolean idle) {
        TimeBounds bounds = new TimeBounds(expected, tokens, stride, offset, slots, ranks, idle);
        double low = bounds.meanRank(Double.POSITIVE_INFINITY);
        if (bounds.meanRank(low) <= low) {
            return low;
        }
        double high = 0;
        for (int i = offset; i < tokens.length; i += stride) {
            high = Math.max(high, expected.micros(tokens[i]));
        }
        high = Math.max(high, low);
        // A first guess above the answer: what the mean rank takes with the replicas that the one below it needs.
        double guess = bounds.meanRank(low);
        if (guess < high && bounds.meanRank(guess) <= guess) {
            high = guess;
        }
        while (high - low > NEAR * low) {
            double middle = (low + high) / 2;
            if (bounds.meanRank(middle) <= middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return low;
    }

    /** What the mean rank takes at least when no replica takes more than so long; infinite where that cannot be. */
    private double meanRank(double most) {
        double tokensOfReplica = expected.mostTokens(most);
        int left = slots;
        double sum = 0;
        for (int expert = 0; expert < replicas.length; expert++) {
            double load = tokens[expert * stride + offset];
            double parts = load <= tokensOfReplica ? 1 : Math.ceil(load / tokensOfReplica);
            if (!(parts <= ranks)) {
                return Double.POSITIVE_INFINITY;
            }
            weigh(expert, load, (int) parts);
            left -= replicas[expert];
            sum += together[expert];
        }
        if (left < 0) {
            return Double.POSITIVE_INFINITY;
        }
        return (sum + cheapest(left)) / ranks;
    }

    private void weigh(int expert, double load, int count) {
        if (replicas[expert] == count) {
            return;
        }
        replicas[expert] = count;
        together[expert] = count * expected.micros(load / count);
        int most = Math.min(ranks, count + slots - replicas.length) - count;
        further[expert] = Double.POSITIVE_INFINITY;
        // On average over 1, 3, 9 … of them and over all: above the roofline's knee the first add the least, below it
        // all together.
        for (int more = 1; more <= most; more = more < most ? Math.min(most, 3 * more) : most + 1) {
            double all = (count + more) * expected.micros(load / (count + more));
            further[expert] = Math.min(further[expert], (all - together[expert]) / more);
        }
    }

    /** What the slots left over add at least: all of them, or as many as one likes where they may be idle. */
    private double cheapest(int left) {
        boolean[] full = new boolean[replicas.length];
        double sum = 0;
        int open = left;
        while (open > 0) {
            int cheapest = -1;
            for (int expert = 0; expert < full.length; expert++) {
                if (!full[expert] && (cheapest < 0 || further[expert] < further[cheapest])) {
                    cheapest = expert;
                }
            }
            if (cheapest < 0 || further[cheapest] == Double.POSITIVE_INFINITY || (idle && further[cheapest] >= 0)) {
                return sum;
            }
            full[cheapest] = true;
            int taken = Math.min(open, ranks - replicas[cheapest]);
            sum += taken * further[cheapest];
            open -= taken;
        }
        return sum;
    }
}
