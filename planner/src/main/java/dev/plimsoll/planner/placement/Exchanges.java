package dev.plimsoll.planner.placement;

/**
 * Exchanges of an expert of one rank with another rank's: up to two moves.
 *
 * <p>All of them are bounded first, in loops without a branch. Then the most promising one is computed: what it brings rules out most of
 * the rest, and only those whose bound is above that are considered.
 */
final class Exchanges {
    private final LayerState state;
    private final Outline outline;
    private final Fares fares;
    private final BestStep best;
    /** What an exchange with the slot can win at most, but for what it leaves on both ranks, {@code [slot]}. */
    private final double[] worth;
    /** {@code [slot]}, for one slot of the hot rank. */
    private final double[] most;
    /** Exchanges that may be the best, in order, as {@code local slot · slots + slot}, and what each wins at most. */
    private final int[] promising;

    private final double[] mostOf;
    private int count;

    Exchanges(LayerState state, Outline outline, Fares fares, BestStep best) {
        this.state = state;
        this.outline = outline;
        this.fares = fares;
        this.best = best;
        this.worth = new double[state.slots()];
        this.most = new double[state.slots()];
        this.promising = new int[state.slotsPerRank * state.slots()];
        this.mostOf = new double[promising.length];
    }

    /** @param rounding by how much a bound may be too low */
    void consider(int hot, double rounding) {
        int slots = state.slots();
        int first = hot * state.slotsPerRank;
        weigh();
        count = 0;
        for (int local = 0; local < state.slotsPerRank; local++) {
            bound(first + local, local * slots);
            gather(local * slots, state.potential[hot] + fares.back[first + local], best.score() - rounding);
        }
        if (count > 0) {
            int likeliest = 0;
            for (int i = 1; i < count; i++) {
                likeliest = mostOf[i] > mostOf[likeliest] ? i : likeliest;
            }
            consider(first, promising[likeliest]);
        }
        for (int i = 0; i < count; i++) {
            if (mostOf[i] > best.score() - rounding) {
                consider(first, promising[i]);
            }
        }
    }

    private void consider(int first, int place) {
        best.considerExchange(first + place / state.slots(), place % state.slots(), place);
    }

    private void weigh() {
        for (int slot = 0; slot < worth.length; slot++) {
            worth[slot] = state.potential[state.rankOf(slot)] + fares.back[slot] - fares.here[state.expertOf[slot]];
        }
    }

    /** Of one slot of the hot rank with all others. */
    private void bound(int slot, int away) {
        double even = outline.evenUnit[slot];
        double odd = outline.oddUnit[slot];
        double evenHere = outline.evenRest[slot];
        double oddHere = outline.oddRest[slot];
        double[] evenUnit = outline.evenUnit;
        double[] oddUnit = outline.oddUnit;
        double[] evenRest = outline.evenRest;
        double[] oddRest = outline.oddRest;
        double[] fare = fares.away;
        for (int other = 0; other < most.length; other++) {
            double a = evenHere + evenUnit[other];
            double b = oddHere + oddUnit[other];
            double c = evenRest[other] + even;
            double d = oddRest[other] + odd;
            a += Math.abs(a);
            b += Math.abs(b);
            c += Math.abs(c);
            d += Math.abs(d);
            most[other] = worth[other] - fare[away + other] - Outline.PART * (a * a + b * b + (c * c + d * d));
        }
    }

    private void gather(int from, double more, double least) {
        double needed = least - more;
        for (int other = 0; other < most.length; other++) {
            if (most[other] > needed) {
                promising[count] = from + other;
                mostOf[count++] = most[other] + more;
            }
        }
    }
}
