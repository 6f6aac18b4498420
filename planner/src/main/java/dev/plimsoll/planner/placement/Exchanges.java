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

    void consider(int hot) {
        int slots = state.slots();
        int first = hot * state.slotsPerRank;
        weigh();
        count = 0;
        for (int local = 0; local < state.slotsPerRank; local++) {
            bound(first + local, fares.away[local]);
            gather(local * slots, state.potential[hot] + fares.back[first + local]);
        }
        if (count > 0) {
            int likeliest = 0;
            for (int i = 1; i < count; i++) {
                likeliest = mostOf[i] > mostOf[likeliest] ? i : likeliest;
            }
            consider(first, promising[likeliest]);
        }
        for (int i = 0; i < count; i++) {
            if (best.mayBe(mostOf[i])) {
                consider(first, promising[i]);
            }
        }
    }

    private void consider(int first, int place) {
        int local = place / state.slots();
        int other = place % state.slots();
        double fare = fares.away[local][other]
                + fares.here[state.expertOf[other]]
                - fares.back[first + local]
                - fares.back[other];
        best.considerExchange(first + local, other, fare, place);
    }

    private void weigh() {
        int slot = 0;
        for (int rank = 0; rank < state.ranks; rank++) {
            for (int end = slot + state.slotsPerRank; slot < end; slot++) {
                worth[slot] = state.potential[rank] + fares.back[slot] - fares.here[state.expertOf[slot]];
            }
        }
    }

    /** Of one slot of the hot rank with all others. Two loops, as few enough operations for a compiler to use vectors. */
    private void bound(int slot, double[] away) {
        bound(outline.evenRest[slot], outline.evenUnit, outline.evenUnit[slot], outline.evenRest, worth, away);
        bound(outline.oddRest[slot], outline.oddUnit, outline.oddUnit[slot], outline.oddRest);
    }

    private void bound(double here, double[] coming, double leaving, double[] there, double[] from, double[] fare) {
        double[] to = most;
        for (int other = 0; other < to.length; other++) {
            double a = here + coming[other];
            double b = leaving + there[other];
            a += Math.abs(a);
            b += Math.abs(b);
            to[other] = from[other] - fare[other] - Outline.PART * (a * a + b * b);
        }
    }

    private void bound(double here, double[] coming, double leaving, double[] there) {
        double[] to = most;
        for (int other = 0; other < to.length; other++) {
            double a = here + coming[other];
            double b = leaving + there[other];
            a += Math.abs(a);
            b += Math.abs(b);
            to[other] -= Outline.PART * (a * a + b * b);
        }
    }

    /** Keeps those that may be the best, all of which win so much more. */
    private void gather(int from, double more) {
        for (int other = 0; other < most.length; other++) {
            if (best.mayBe(most[other] + more)) {
                promising[count] = from + other;
                mostOf[count++] = most[other] + more;
            }
        }
    }
}
