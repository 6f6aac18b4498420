package dev.plimsoll.replay.score.time;

import dev.plimsoll.model.Topology;
import java.util.Arrays;

/**
 * How long the slowest rank takes at least, whatever the placement.
 *
 * <p>An expert can have k replicas at most, one on each rank and one more than there are redundant slots. Two things hold for the
 * slowest of R ranks, and the larger one is the bound:
 *
 * <ul>
 *   <li>It takes at least the mean over ranks, and all ranks together at least what each expert takes when its tokens are split over up
 *       to k slots in the way that takes least.
 *   <li>Of an expert's tokens some slot gets a k-th or more. Take these slots of the R · j + 1 experts where they take longest: some rank
 *       has j + 1 of them, and takes at least what the j + 1 shortest take.
 * </ul>
 */
final class SlowestRank {
    private SlowestRank() {}

    /** Replicas that an expert can have at most. */
    static int mostReplicas(Topology topology, int experts) {
        return Math.min(topology.ranks(), 1 + topology.slots() - experts);
    }

    /**
     * @param least {@code [expert]}, what all its slots together take at least
     * @param some {@code [expert]}, what one of its slots takes at least; sorted by this
     */
    static double atLeast(double[] least, double[] some, int ranks) {
        double sum = 0;
        for (double micros : least) {
            sum += micros;
        }
        Arrays.sort(some);
        double bound = sum / ranks;
        for (int together = 1; (together - 1) * ranks < some.length; together++) {
            int from = some.length - 1 - (together - 1) * ranks;
            double micros = 0;
            for (int i = from; i < from + together; i++) {
                micros += some[i];
            }
            bound = Math.max(bound, micros);
        }
        return bound;
    }
}
