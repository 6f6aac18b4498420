package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * A time that no placement can be below, whichever it is and however it sends tokens to replicas: of each step and layer alone, as if
 * it were placed for that step.
 *
 * <p>An expert can have k replicas at most, one on each rank and one more than there are redundant slots. Two things hold for the
 * slowest of R ranks, and the larger one is the bound:
 *
 * <ul>
 *   <li>It takes at least the mean over ranks, and all ranks together at least what each expert takes when its tokens are split over up
 *       to k slots in the way that takes least.
 *   <li>Of an expert's n tokens some slot gets n ÷ k or more, rounded up. Take these slots of the R · j + 1 experts where they take
 *       longest: some rank has j + 1 of them, and takes at least what the j + 1 shortest take.
 * </ul>
 */
final class StepBound {
    private final int ranks;
    private final int replicas;
    /** {@code [tokens]}, what an expert takes on all ranks together at least. */
    private final double[] least;

    private final SlotTimes times;

    StepBound(Topology topology, int experts, SlotTimes times) {
        this.ranks = topology.ranks();
        this.replicas = Math.min(ranks, 1 + topology.slots() - experts);
        this.times = times;
        this.least = split(times, replicas);
    }

    /** By tokens, the least sum over up to so many slots that share them. */
    static double[] split(SlotTimes times, int slots) {
        double[] best = new double[times.most() + 1];
        Arrays.setAll(best, times::micros);
        boolean better = true;
        for (int more = 1; more < slots && better; more++) {
            better = false;
            double[] next = best.clone();
            for (int tokens = 2; tokens < next.length; tokens++) {
                for (int last = 1; last < tokens; last++) {
                    double micros = best[tokens - last] + times.micros(last);
                    if (micros < next[tokens]) {
                        next[tokens] = micros;
                        better = true;
                    }
                }
            }
            best = next;
        }
        return best;
    }

    /** Of a step, all its layers together. */
    double ofStep(StepTokens tokens) {
        double sum = 0;
        int[] tokensOf = new int[tokens.experts()];
        for (int layer = 0; layer < tokens.layers(); layer++) {
            for (int expert = 0; expert < tokensOf.length; expert++) {
                tokensOf[expert] = tokens.of(layer, expert);
            }
            sum += ofLayer(tokensOf);
        }
        return sum;
    }

    /** @param tokensOf {@code [expert]} */
    double ofLayer(int[] tokensOf) {
        double sum = 0;
        double[] largest = new double[tokensOf.length];
        for (int expert = 0; expert < tokensOf.length; expert++) {
            sum += least[tokensOf[expert]];
            largest[expert] = times.micros((tokensOf[expert] + replicas - 1) / replicas);
        }
        Arrays.sort(largest);
        double bound = sum / ranks;
        for (int together = 1; (together - 1) * ranks < largest.length; together++) {
            int from = largest.length - 1 - (together - 1) * ranks;
            double micros = 0;
            for (int i = from; i < from + together; i++) {
                micros += largest[i];
            }
            bound = Math.max(bound, micros);
        }
        return bound;
    }
}
