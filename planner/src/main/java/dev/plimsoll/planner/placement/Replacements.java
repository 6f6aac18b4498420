package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * Replacements of a redundant replica by another expert's: an expert of the hot rank gets one more replica elsewhere, or a replica
 * on the hot rank makes room; one move.
 *
 * <p>Whole neighbourhoods are ruled out by what their best member could win at most; what is left is bounded one by one.
 */
final class Replacements {
    private final LayerState state;
    private final Outline outline;
    private final Fares fares;
    private final BestStep best;
    /** By how much others rise where an expert's replicas fall, {@code [expert]}: see {@link #shareRise}. */
    private final double[] sharedRise;
    /** Slots that may make room, and what each wins at most, less the price of moves, by being left empty. */
    private final int[] vacant;

    private final double[] roomOf;

    Replacements(LayerState state, Outline outline, Fares fares, BestStep best) {
        this.state = state;
        this.outline = outline;
        this.fares = fares;
        this.best = best;
        this.sharedRise = new double[state.experts];
        this.vacant = new int[state.slots()];
        this.roomOf = new double[state.slots()];
    }

    /**
     * Replicas elsewhere of the hot rank's experts.
     *
     * @param rounding by how much a bound may be too low
     */
    void considerElsewhere(int hot, double rounding) {
        int first = hot * state.slotsPerRank;
        double mostRelief = 0;
        double mostShared = 0;
        for (int slot = first; slot < first + state.slotsPerRank; slot++) {
            mostRelief = Math.max(mostRelief, outline.relief[state.expertOf[slot]]);
            mostShared = Math.max(mostShared, mostShared(state.expertOf[slot]));
        }
        int count = gatherVacant(first, best.score() - rounding - mostRelief - mostShared);
        for (int local = 0; local < state.slotsPerRank && count > 0; local++) {
            int incoming = state.expertOf[first + local];
            double relief = outline.relief[incoming];
            shareRise(incoming);
            int away = local * state.slots();
            for (int i = 0; i < count; i++) {
                int slot = vacant[i];
                double won = relief - fares.away[away + slot] + sharedRise[state.expertOf[slot]];
                if (won + roomOf[i] > best.score() - rounding) {
                    considerIfPromising(slot, incoming, won, rounding);
                }
            }
        }
    }

    /** Slots not of the hot rank that win more than this by being left empty. */
    private int gatherVacant(int firstOfHot, double least) {
        int count = 0;
        for (int slot = 0; slot < state.slots(); slot++) {
            double room = fares.back[slot] + outline.vacating[slot];
            if (room > least && (slot < firstOfHot || slot >= firstOfHot + state.slotsPerRank)) {
                vacant[count] = slot;
                roomOf[count++] = room;
            }
        }
        return count;
    }

    /** Other experts in the hot rank's redundant slots. */
    void considerHere(int hot, double rounding) {
        for (int slot = hot * state.slotsPerRank; slot < (hot + 1) * state.slotsPerRank; slot++) {
            double room = fares.back[slot] + outline.vacating[slot];
            if (room == Double.NEGATIVE_INFINITY) {
                continue;
            }
            shareRiseOf(slot);
            for (int expert = 0; expert < state.experts; expert++) {
                double won = outline.relief[expert] - fares.here[expert] + sharedRise[expert];
                if (won + room > best.score() - rounding) {
                    considerIfPromising(slot, expert, won, rounding);
                }
            }
        }
    }

    /**
     * @param won by how much the potentials of the ranks that have the expert fall, net of what it costs to bring, and with what the
     *     leaver's other replicas rise by on those ranks
     */
    private void considerIfPromising(int slot, int incoming, double won, double rounding) {
        double own = state.potential[state.rankOf(slot)]
                - outline.left(slot, outline.evenComing[incoming], outline.oddComing[incoming]);
        if (won + fares.back[slot] + own - outline.othersRise[slot] > best.score() - rounding) {
            best.considerReplacement(slot, incoming);
        }
    }

    /**
     * Fills {@link #sharedRise} for an expert that comes: by how much every other's replicas would rise on the ranks that it is
     * on. There the one's fall and the other's rise meet, and together they can be better than their sum, so a bound must leave
     * the rise out.
     */
    private void shareRise(int incoming) {
        Arrays.fill(sharedRise, 0);
        for (int holder = state.firstSlot(incoming); holder >= 0; holder = state.nextSlot(holder)) {
            int first = state.rankOf(holder) * state.slotsPerRank;
            for (int slot = first; slot < first + state.slotsPerRank; slot++) {
                sharedRise[state.expertOf[slot]] += outline.rise[slot];
            }
        }
    }

    /** No expert's share of the rise is more: that of all who share ranks with it. */
    private double mostShared(int incoming) {
        double sum = 0;
        for (int holder = state.firstSlot(incoming); holder >= 0; holder = state.nextSlot(holder)) {
            int first = state.rankOf(holder) * state.slotsPerRank;
            double most = 0;
            for (int slot = first; slot < first + state.slotsPerRank; slot++) {
                most = Math.max(most, outline.rise[slot]);
            }
            sum += most;
        }
        return sum;
    }

    /** The same for a slot whose expert leaves: the rise of its other replicas, for every expert that is on their ranks. */
    private void shareRiseOf(int slot) {
        Arrays.fill(sharedRise, 0);
        for (int other = state.firstSlot(state.expertOf[slot]); other >= 0; other = state.nextSlot(other)) {
            int first = state.rankOf(other) * state.slotsPerRank;
            for (int held = first; other != slot && held < first + state.slotsPerRank; held++) {
                sharedRise[state.expertOf[held]] += outline.rise[other];
            }
        }
    }
}
