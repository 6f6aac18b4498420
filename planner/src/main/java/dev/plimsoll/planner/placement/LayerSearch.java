package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * Steepest descent over the placement of one layer, from a valid one: few moves that take load off the hottest rank.
 *
 * <p>What falls is the potential Φ = Σ over ranks of max(0, load − mean)², which sees progress even while another rank is as hot.
 * Three steps are tried from the hottest rank: swap two slots of different ranks (2 weights), give one of its experts another
 * replica in place of a redundant one elsewhere (1 weight), replace a redundant replica of its own by another expert (1 weight).
 * The step with the largest fall of Φ per moved weight is taken, until none falls by the price. All keep a valid placement valid.
 * Ties go to the step tried first, which is in order of slots and experts.
 */
final class LayerSearch {
    private final int slotsPerRank;
    private final double[] load;
    private final int[] expertOfSlot;
    private final int[] replicas;
    private final boolean[][] holds;
    private final double[] ofRank;
    private final double mean;

    private double bestFall;
    private int bestSlot = -1;
    private int bestOther = -1;
    private int bestExpert = -1;

    /**
     * @param expertOfSlot {@code [slot]}, copied; valid
     * @param load {@code [expert]}, not all zero
     */
    LayerSearch(int[] expertOfSlot, double[] load, int ranks) {
        this.expertOfSlot = expertOfSlot.clone();
        this.load = load;
        this.slotsPerRank = expertOfSlot.length / ranks;
        this.replicas = new int[load.length];
        this.holds = new boolean[ranks][load.length];
        this.ofRank = new double[ranks];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            replicas[expertOfSlot[slot]]++;
            holds[slot / slotsPerRank][expertOfSlot[slot]] = true;
        }
        recount();
        this.mean = Arrays.stream(load).sum() / ranks;
    }

    /**
     * @param price least fall of Φ per moved weight, in units of mean²
     * @return {@code [slot]}
     */
    int[] descend(double price) {
        double least = price * mean * mean;
        // Every step lowers Φ by at least the price; the bound only guards against a price of 0.
        for (int step = 0; step < 4 * expertOfSlot.length; step++) {
            int hot = hottest();
            bestFall = least;
            bestSlot = -1;
            trySwaps(hot);
            tryReplicasElsewhere(hot);
            tryReplacementsHere(hot);
            if (bestSlot < 0) {
                break;
            }
            take();
        }
        return expertOfSlot;
    }

    private int hottest() {
        int hot = 0;
        for (int rank = 1; rank < ofRank.length; rank++) {
            if (ofRank[rank] > ofRank[hot]) {
                hot = rank;
            }
        }
        return hot;
    }

    private void trySwaps(int hot) {
        for (int slot = hot * slotsPerRank; slot < (hot + 1) * slotsPerRank; slot++) {
            int expert = expertOfSlot[slot];
            for (int other = 0; other < expertOfSlot.length; other++) {
                int rank = other / slotsPerRank;
                int incoming = expertOfSlot[other];
                double shift = unit(expert) - unit(incoming);
                if (rank == hot || shift <= 0 || holds[rank][expert] || holds[hot][incoming]) {
                    continue;
                }
                double fall = excess(ofRank[hot])
                        + excess(ofRank[rank])
                        - excess(ofRank[hot] - shift)
                        - excess(ofRank[rank] + shift);
                consider(fall / 2, slot, other, -1);
            }
        }
    }

    /** An expert of the hot rank gets one more replica, in a slot elsewhere whose expert has others. */
    private void tryReplicasElsewhere(int hot) {
        for (int slot = hot * slotsPerRank; slot < (hot + 1) * slotsPerRank; slot++) {
            int expert = expertOfSlot[slot];
            for (int other = 0; other < expertOfSlot.length; other++) {
                int rank = other / slotsPerRank;
                if (rank != hot && replicas[expertOfSlot[other]] > 1 && !holds[rank][expert] && load[expert] > 0) {
                    consider(fallOfReplacing(other, expert), other, -1, expert);
                }
            }
        }
    }

    /** A redundant replica on the hot rank makes room for another expert. */
    private void tryReplacementsHere(int hot) {
        for (int slot = hot * slotsPerRank; slot < (hot + 1) * slotsPerRank; slot++) {
            if (replicas[expertOfSlot[slot]] == 1) {
                continue;
            }
            for (int expert = 0; expert < load.length; expert++) {
                // Only what weighs less here than what leaves can cool this rank.
                if (!holds[hot][expert] && load[expert] / (replicas[expert] + 1) < unit(expertOfSlot[slot])) {
                    consider(fallOfReplacing(slot, expert), slot, -1, expert);
                }
            }
        }
    }

    private void consider(double fall, int slot, int other, int expert) {
        if (fall > bestFall) {
            bestFall = fall;
            bestSlot = slot;
            bestOther = other;
            bestExpert = expert;
        }
    }

    private double fallOfReplacing(int slot, int incoming) {
        int target = slot / slotsPerRank;
        int outgoing = expertOfSlot[slot];
        double less = load[incoming] / replicas[incoming] - load[incoming] / (replicas[incoming] + 1);
        double more = load[outgoing] / (replicas[outgoing] - 1) - load[outgoing] / replicas[outgoing];
        double fall = 0;
        for (int rank = 0; rank < ofRank.length; rank++) {
            double after = ofRank[rank];
            if (holds[rank][incoming]) {
                after -= less;
            }
            if (rank == target) {
                after += load[incoming] / (replicas[incoming] + 1) - unit(outgoing);
            } else if (holds[rank][outgoing]) {
                after += more;
            }
            fall += excess(ofRank[rank]) - excess(after);
        }
        return fall;
    }

    private void take() {
        int rank = bestSlot / slotsPerRank;
        int expert = expertOfSlot[bestSlot];
        holds[rank][expert] = false;
        if (bestOther >= 0) {
            int otherRank = bestOther / slotsPerRank;
            int other = expertOfSlot[bestOther];
            holds[otherRank][other] = false;
            holds[otherRank][expert] = true;
            holds[rank][other] = true;
            expertOfSlot[bestSlot] = other;
            expertOfSlot[bestOther] = expert;
        } else {
            replicas[expert]--;
            replicas[bestExpert]++;
            holds[rank][bestExpert] = true;
            expertOfSlot[bestSlot] = bestExpert;
        }
        recount();
    }

    /** From scratch, so that no rounding piles up over steps. */
    private void recount() {
        Arrays.fill(ofRank, 0);
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            ofRank[slot / slotsPerRank] += unit(expertOfSlot[slot]);
        }
    }

    private double unit(int expert) {
        return load[expert] / replicas[expert];
    }

    private double excess(double rankLoad) {
        double above = Math.max(0, rankLoad - mean);
        return above * above;
    }
}
