package dev.plimsoll.planner.placement;

import java.util.Arrays;

/**
 * The loads of a layer's experts over the stages of a window: its sub-samples, neighbours added up so that there are at most 64.
 *
 * <p>Every load has one token more than was counted, so that no stage is empty.
 */
final class FlashLbStages {
    static final int MOST_STAGES = 64;

    /** {@code [expert][stage]}. */
    private final double[][] loads;
    /** {@code [stage]}, over experts. */
    private final double[] totals;

    FlashLbStages(ExpertLoad window, int layer) {
        int stages = Math.min(window.samples(), MOST_STAGES);
        this.loads = new double[window.experts()][stages];
        this.totals = new double[stages];
        for (int expert = 0; expert < loads.length; expert++) {
            Arrays.fill(loads[expert], 1);
            for (int sample = 0; sample < window.samples(); sample++) {
                loads[expert][(int) ((long) sample * stages / window.samples())] += window.at(layer, sample, expert);
            }
            for (int stage = 0; stage < stages; stage++) {
                totals[stage] += loads[expert][stage];
            }
        }
    }

    int experts() {
        return loads.length;
    }

    int stages() {
        return totals.length;
    }

    double load(int expert, int stage) {
        return loads[expert][stage];
    }

    /**
     * Max ÷ mean rank load, averaged over stages: what a plan tries to lower; 1 is perfect. It is the source's measure and not a
     * balancedness, whose inverse is never averaged.
     *
     * @param expertOfSlot {@code [slot]}, valid
     */
    double peak(int[] expertOfSlot, int ranks) {
        int[] replicas = new int[loads.length];
        for (int expert : expertOfSlot) {
            replicas[expert]++;
        }
        int slotsPerRank = expertOfSlot.length / ranks;
        double[] max = new double[totals.length];
        double[] ofRank = new double[totals.length];
        for (int first = 0; first < expertOfSlot.length; first += slotsPerRank) {
            Arrays.fill(ofRank, 0);
            for (int slot = first; slot < first + slotsPerRank; slot++) {
                double[] load = loads[expertOfSlot[slot]];
                double share = 1.0 / replicas[expertOfSlot[slot]];
                for (int stage = 0; stage < ofRank.length; stage++) {
                    ofRank[stage] += load[stage] * share;
                }
            }
            for (int stage = 0; stage < max.length; stage++) {
                max[stage] = Math.max(max[stage], ofRank[stage]);
            }
        }
        double sum = 0;
        for (int stage = 0; stage < max.length; stage++) {
            sum += max[stage] * ranks / totals[stage];
        }
        return sum / max.length;
    }
}
