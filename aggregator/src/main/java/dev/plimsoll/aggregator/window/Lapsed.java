package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LongVector;
import java.util.Arrays;
import java.util.BitSet;

/** The ranks that are not waited for: they said nothing while others went on. One that is heard of again is waited for again. */
final class Lapsed {
    private final BitSet ranks = new BitSet();
    private final int ofAll;

    Lapsed(LongVector known, int ofAll) {
        this.ofAll = ofAll;
        Arrays.stream(known.toArray()).forEach(rank -> ranks.set((int) rank));
    }

    boolean contains(int rank) {
        return ranks.get(rank);
    }

    void add(int rank) {
        ranks.set(rank);
    }

    void heardOf(int rank) {
        ranks.clear(rank);
    }

    void clear() {
        ranks.clear();
    }

    /** How many ranks are waited for. */
    int others() {
        return ofAll - ranks.cardinality();
    }

    LongVector ranks() {
        return LongVector.of(ranks.stream().asLongStream().toArray());
    }
}
