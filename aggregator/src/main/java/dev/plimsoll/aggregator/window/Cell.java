package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.PlacementState;

/**
 * One rank's part of a sample, reduced to what tells it from another: sum and a hash of its counters. Equality of hashes stands for
 * equality of counters; it decides between two ways of being left out, never whether load is counted.
 *
 * @param load sum of the counters; meaningless unless {@code countable}
 * @param countable whether every counter is below {@link #COUNTER_LIMIT}
 */
record Cell(int rank, long load, long hash, boolean countable) {
    /** A window sums at most {@link Shapes#MOST_COUNTERS} = 2^28 of them, so no sum reaches 2^63. */
    static final long COUNTER_LIMIT = 1L << 34;

    private static final long ODD = 0x9E3779B97F4A7C15L;

    /** @param block the rank, counted from the sample's first */
    static Cell of(LoadSample sample, int block) {
        int size = sample.layers() * sample.slotsPerRank();
        int from = block * size;
        long sum = 0;
        long any = 0;
        long hash = hash(sample.state()) + (sample.mixed() ? 1 : 0);
        for (int i = from; i < from + size; i++) {
            long value = sample.load().at(i);
            any |= value;
            sum += value;
            hash = (hash + value) * ODD;
        }
        return new Cell(sample.firstRank() + block, sum, hash ^ (hash >>> 32), any < COUNTER_LIMIT);
    }

    private static long hash(PlacementState state) {
        return ((state.settledVersion() * ODD + state.epoch()) * ODD + state.batchesFlipped()) * ODD;
    }
}
