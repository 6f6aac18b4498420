package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.PlacementState;

/**
 * What tells a rank's part of a sample from another: a hash of where it is and one of what it says. Equality of hashes stands for equality;
 * it decides between two ways of being left out, never whether load is counted.
 */
final class Cell {
    /** A window sums at most {@link Shapes#MOST_COUNTERS} = 2^28 of them, so no sum reaches 2^63. */
    static final long COUNTER_LIMIT = 1L << 34;

    private static final long ODD = 0x9E3779B97F4A7C15L;

    private Cell() {}

    /** Where it is. */
    static long key(LoadSample sample, int rank) {
        long key = rank;
        key = (key + sample.steps().from()) * ODD;
        key = ((key ^ (key >>> 29)) + sample.steps().to()) * ODD;
        key = ((key ^ (key >>> 29)) + sample.firstLayer()) * ODD;
        key = ((key ^ (key >>> 29)) + sample.layers()) * ODD;
        return key ^ (key >>> 31);
    }

    /** Where it is and what it says. */
    static long fingerprint(LoadSample sample, int rank) {
        int counters = sample.layers() * sample.slotsPerRank();
        long hash = (hash(sample.state()) + (sample.mixed() ? 1 : 0)) * ODD;
        hash = (hash + sample.load().checksum((rank - sample.firstRank()) * counters, counters)) * ODD;
        if (sample.timed()) {
            hash = (hash + sample.elapsedNanos().at(rank - sample.firstRank())) * ODD;
            hash = (hash + sample.idleNanos().at(rank - sample.firstRank())) * ODD;
        }
        return key(sample, rank) ^ hash ^ (hash >>> 32);
    }

    private static long hash(PlacementState state) {
        return ((state.settledVersion() * ODD + state.epoch()) * ODD + state.batchesFlipped()) * ODD;
    }
}
