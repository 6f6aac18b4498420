package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * Steepest descent over the placement of one layer, from a valid one: few moves that take load off the hottest rank.
 *
 * <p>What falls is the potential Φ = Σ over ranks of max(0, load − mean)², which sees progress even while another rank is as hot.
 * Three steps are tried from the hottest rank: it trades an expert with another rank (two weights move), an expert of its
 * gets one more replica where another rank has one to spare (one weight), or it gives up a spare replica for a lighter expert (one).
 * The step with the largest fall of Φ per moved weight is taken, until none falls by the price. All keep a valid placement valid.
 * Ties go to the step tried first, which is in order of slots and experts.
 */
final class LayerSearch {
    private final int slotsPerRank;
    private final double[] load;
    private final int[] expertOfSlot;
    private final int[] replicas;
    private final boolean[][] holds;
    /** {@code [expert][replica]}, ascending. */
    private final int[][] ranksOf;

    /** {@code [expert]} load of a replica now, and if there were one more. */
    private final double[] unit;

    private final double[] unitOfMore;
    private final double[] ofRank;
    private final double[] excessOf;
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
        this.ranksOf = new int[load.length][0];
        this.unit = new double[load.length];
        this.unitOfMore = new double[load.length];
        this.ofRank = new double[ranks];
        this.excessOf = new double[ranks];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            replicas[expertOfSlot[slot]]++;
            holds[slot / slotsPerRank][expertOfSlot[slot]] = true;
        }
        this.mean = Arrays.stream(load).sum() / ranks;
        recount();
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
                double shift = unit[expert] - unit[incoming];
                if (rank == hot || shift <= 0 || holds[rank][expert] || holds[hot][incoming]) {
                    continue;
                }
                double fall =
                        excessOf[hot] + excessOf[rank] - excess(ofRank[hot] - shift) - excess(ofRank[rank] + shift);
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
                if (!holds[hot][expert] && unitOfMore[expert] < unit[expertOfSlot[slot]]) {
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
        double less = unit[incoming] - unitOfMore[incoming];
        double gone = unit[outgoing];
        double fall = excessOf[target] - excess(ofRank[target] - gone + unitOfMore[incoming]);
        for (int i = 0; i < replicas[incoming]; i++) {
            int rank = ranksOf[incoming][i];
            fall += excessOf[rank] - excess(ofRank[rank] - less);
        }
        if (fall <= bestFall) {
            // What the outgoing expert's other replicas take over can only make it worse.
            return fall;
        }
        double more = load[outgoing] / (replicas[outgoing] - 1) - unit[outgoing];
        for (int i = 0; i < replicas[outgoing]; i++) {
            int rank = ranksOf[outgoing][i];
            if (rank != target) {
                double before = ofRank[rank] - (holds[rank][incoming] ? less : 0);
                fall += excess(before) - excess(before + more);
            }
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
        for (int expert = 0; expert < load.length; expert++) {
            unit[expert] = load[expert] / replicas[expert];
            unitOfMore[expert] = load[expert] / (replicas[expert] + 1);
        }
        int[] found = new int[load.length];
        for (int slot = 0; slot < expertOfSlot.length; slot++) {
            int expert = expertOfSlot[slot];
            int rank = slot / slotsPerRank;
            ofRank[rank] += unit[expert];
            if (found[expert] == 0 && ranksOf[expert].length != replicas[expert]) {
                ranksOf[expert] = new int[replicas[expert]];
            }
            ranksOf[expert][found[expert]++] = rank;
        }
        for (int rank = 0; rank < ofRank.length; rank++) {
            excessOf[rank] = excess(ofRank[rank]);
        }
    }

    private double excess(double rankLoad) {
        double above = Math.max(0, rankLoad - mean);
        return above * above;
    }
}
