package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LongVector;
import java.util.Arrays;
import java.util.TreeSet;

/**
 * Samples that were too far ahead: which ranks sent them, to notice that everybody is there; and which offsets they had, as a
 * replay with a later first open window would take them for acceptable.
 */
final class FarAhead {
    private static final long NONE = -1;

    /** {@code [rank]} furthest window. */
    private final long[] farthest;

    private final TreeSet<Long> excluded = new TreeSet<>();

    FarAhead(int ranks) {
        farthest = new long[ranks];
        Arrays.fill(farthest, NONE);
    }

    FarAhead(LongVector farthest, LongVector excluded) {
        this.farthest = farthest.toArray();
        for (long offset : excluded.toArray()) {
            this.excluded.add(offset);
        }
    }

    void note(int firstRank, int ranks, long window) {
        for (int rank = firstRank; rank < firstRank + ranks; rank++) {
            farthest[rank] = Math.max(farthest[rank], window);
        }
    }

    /** The rank sends what can be used: whatever it sent before, it is not far ahead. */
    void clear(int rank) {
        farthest[rank] = NONE;
    }

    void clearRanks() {
        Arrays.fill(farthest, NONE);
    }

    /** Forgets ranks whose window has come into reach. */
    void reach(long window) {
        for (int rank = 0; rank < farthest.length; rank++) {
            if (farthest[rank] <= window) {
                farthest[rank] = NONE;
            }
        }
    }

    int ranks() {
        return (int) Arrays.stream(farthest).filter(window -> window != NONE).count();
    }

    /** The window that {@code quorum} ranks have reached. */
    long reachedBy(int quorum) {
        long[] sorted = farthest.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length - quorum];
    }

    void exclude(long offset) {
        excluded.add(offset);
    }

    boolean excludes(long offset) {
        return excluded.contains(offset);
    }

    /** Forgets offsets that no replay will use. */
    void forgetBefore(long oldestNeeded) {
        excluded.headSet(oldestNeeded).clear();
    }

    int excluded() {
        return excluded.size();
    }

    LongVector farthestOfRanks() {
        return LongVector.of(farthest);
    }

    LongVector excludedOffsets() {
        return LongVector.of(excluded.stream().mapToLong(Long::longValue).toArray());
    }
}
