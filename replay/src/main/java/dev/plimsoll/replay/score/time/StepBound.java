package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * A time that no placement can be below, whichever it is and however it sends tokens to replicas: {@link SlowestRank#atLeast} of each
 * step and layer alone, as if it were placed for that step.
 */
final class StepBound {
    private final int ranks;
    private final int replicas;
    /** {@code [tokens]}, what an expert takes on all ranks together at least. */
    private final double[] least;

    private final SlotTimes times;

    StepBound(Topology topology, int experts, SlotTimes times) {
        this.ranks = topology.ranks();
        this.replicas = SlowestRank.mostReplicas(topology, experts);
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
        double[] together = new double[tokensOf.length];
        double[] some = new double[tokensOf.length];
        for (int expert = 0; expert < tokensOf.length; expert++) {
            together[expert] = least[tokensOf[expert]];
            some[expert] = times.micros((tokensOf[expert] + replicas - 1) / replicas);
        }
        return SlowestRank.atLeast(together, some, ranks);
    }
}
