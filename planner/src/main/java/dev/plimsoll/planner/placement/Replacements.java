package dev.plimsoll.planner.placement;

/**
 * Replacements of a redundant replica by another expert's: an expert of the hot rank gets one more replica elsewhere, or a replica
 * on the hot rank makes room; one move.
 *
 * <p>What a replacement wins is at most what the ranks of the expert that comes are relieved by, and what is won by leaving the slot empty:
 * so the best of each rule out whole neighbourhoods. Only where both experts share a rank it can be more: there the one's fall and the other's rise
 * meet, and together they can be better than their sum. Those few pairs are bounded by themselves.
 */
final class Replacements {
    private final LayerState state;
    private final Outline outline;
    private final Fares fares;
    private final BestStep best;
    /** Whether an expert has come up among sharers, {@code [expert]}: in which round. */
    private final int[] seen;

    private int round;

    Replacements(LayerState state, Outline outline, Fares fares, BestStep best) {
        this.state = state;
        this.outline = outline;
        this.fares = fares;
        this.best = best;
        this.seen = new int[state.experts];
    }

    void consider(int hot) {
        int first = hot * state.slotsPerRank;
        considerAllElsewhere(first, first + state.slotsPerRank);
        considerAllHere(first, first + state.slotsPerRank);
    }

    /** Replicas elsewhere of the hot rank's experts. */
    private void considerAllElsewhere(int first, int end) {
        double relief = 0;
        for (int from = first; from < end; from++) {
            relief = Math.max(relief, outline.relief[state.expertOf[from]]);
        }
        for (int slot = 0; slot < state.slots(); slot++) {
            if (best.mayBe(relief + vacating(slot)) && (slot < first || slot >= end)) {
                for (int from = first; from < end; from++) {
                    considerElsewhere(slot, from, first);
                }
            }
        }
        for (int from = first; from < end; from++) {
            considerSharersElsewhere(from, first, end);
        }
    }

    /** Those whose experts leave ranks that they share with the one that comes. */
    private void considerSharersElsewhere(int from, int first, int end) {
        int incoming = state.expertOf[from];
        round++;
        for (int held = state.firstSlot(incoming); held >= 0; held = state.nextSlot(held)) {
            int shared = state.rankOf(held) * state.slotsPerRank;
            for (int sharer = shared; sharer < shared + state.slotsPerRank; sharer++) {
                if (outline.rise[sharer] > 0 && sharer != held && sees(state.expertOf[sharer])) {
                    for (int slot = state.firstSlot(state.expertOf[sharer]); slot >= 0; slot = state.nextSlot(slot)) {
                        if (slot < first || slot >= end) {
                            considerElsewhere(slot, from, first);
                        }
                    }
                }
            }
        }
    }

    private void considerElsewhere(int slot, int from, int first) {
        int incoming = state.expertOf[from];
        double fare = fares.away[from - first][slot] - fares.back[slot];
        consider(slot, incoming, fare, place(1, from - first) + slot);
    }

    /** Other experts in the hot rank's redundant slots. */
    private void considerAllHere(int first, int end) {
        double most = Double.NEGATIVE_INFINITY;
        for (int slot = first; slot < end; slot++) {
            most = Math.max(most, vacating(slot));
        }
        if (most == Double.NEGATIVE_INFINITY) {
            return;
        }
        for (int expert = 0; expert < state.experts; expert++) {
            if (best.mayBe(outline.relief[expert] - fares.here[expert] + most)) {
                for (int slot = first; slot < end; slot++) {
                    considerHere(slot, expert, first);
                }
            }
        }
        for (int slot = first; slot < end; slot++) {
            considerSharersHere(slot, first);
        }
    }

    /** Those that come from ranks which they share with the one that leaves. */
    private void considerSharersHere(int slot, int first) {
        round++;
        for (int other = state.firstSlot(state.expertOf[slot]); other >= 0; other = state.nextSlot(other)) {
            int shared = state.rankOf(other) * state.slotsPerRank;
            for (int sharer = shared; sharer < shared + state.slotsPerRank; sharer++) {
                if (outline.rise[other] > 0 && other != slot && sees(state.expertOf[sharer])) {
                    considerHere(slot, state.expertOf[sharer], first);
                }
            }
        }
    }

    private void considerHere(int slot, int incoming, int first) {
        double fare = fares.here[incoming] - fares.back[slot];
        consider(slot, incoming, fare, place(2, slot - first) + incoming);
    }

    /** Whether the expert comes up for the first time among the sharers. */
    private boolean sees(int expert) {
        boolean first = seen[expert] != round;
        seen[expert] = round;
        return first;
    }

    /** Another expert in a slot, unless its bound rules it out. */
    void consider(int slot, int incoming, double fare, int place) {
        double most = outline.mostOfReplacement(slot, incoming) - fare;
        if (best.mayBe(most + outline.othersRise[slot]) && best.mayBe(most + outline.sharedRise(slot, incoming))) {
            best.considerReplacement(slot, incoming, fare, place);
        }
    }

    /** In the order of steps: exchanges, then replicas elsewhere, then other experts here. */
    private int place(int neighbourhood, int local) {
        return (neighbourhood * state.slotsPerRank + local) * (state.slots() + 1);
    }

    /** What is won at most by leaving the slot empty. */
    private double vacating(int slot) {
        return outline.vacating[slot] + fares.back[slot];
    }
}
