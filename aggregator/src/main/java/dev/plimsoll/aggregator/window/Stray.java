package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState.Astray;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The ranks that report from where no window is open, far ahead or in steps that were jumped over. One record moves nothing: a rank is
 * believed once several of its records, each further than the one before and close to it, have come for some time. When a quorum is
 * believed to be in the same place, it is the fold that is astray.
 */
final class Stray {
    private final TreeMap<Integer, Astray> ranks = new TreeMap<>();
    /** How far two records of a rank may be apart, or two ranks, to be in the same place. */
    private final long nearSteps;

    Stray(Collection<Astray> known, long nearSteps) {
        known.forEach(rank -> ranks.put(rank.rank(), rank));
        this.nearSteps = nearSteps;
    }

    void note(int firstRank, int count, long step, long appendTime) {
        for (int rank = firstRank; rank < firstRank + count; rank++) {
            ranks.merge(rank, new Astray(rank, appendTime, step, 1), this::after);
        }
    }

    private Astray after(Astray known, Astray next) {
        if (next.step() == known.step()) {
            return known;
        }
        boolean near = next.step() > known.step() && next.step() - known.step() <= nearSteps;
        // Append time may step back; then counting starts there.
        long since = Math.min(known.sinceMillis(), next.sinceMillis());
        return near ? new Astray(known.rank(), since, next.step(), known.records() + 1) : next;
    }

    /** The ranks send what can be used: whatever they sent before, they are where they should be. */
    void clear(int firstRank, int count) {
        for (int rank = firstRank; rank < firstRank + count && !ranks.isEmpty(); rank++) {
            ranks.remove(rank);
        }
    }

    void clear() {
        ranks.clear();
    }

    /** Keeps those whose step still is one from elsewhere. */
    void retain(LongPredicate elsewhere) {
        ranks.values().removeIf(rank -> !elsewhere.test(rank.step()));
    }

    /**
     * The step that a quorum has reached together.
     *
     * @param believed whether a rank counts
     */
    OptionalLong place(int quorum, Predicate<Astray> believed) {
        if (ranks.size() < quorum) {
            return OptionalLong.empty();
        }
        long[] steps = ranks.values().stream()
                .filter(believed)
                .mapToLong(Astray::step)
                .sorted()
                .toArray();
        for (int i = steps.length - quorum; i >= 0; i--) {
            if (steps[i + quorum - 1] - steps[i] <= nearSteps) {
                return OptionalLong.of(steps[i]);
            }
        }
        return OptionalLong.empty();
    }

    /** The most ranks that report from the same place, those that have done so more than once. */
    int mostTogether() {
        long[] steps = ranks.values().stream()
                .filter(rank -> rank.records() >= 2)
                .mapToLong(Astray::step)
                .sorted()
                .toArray();
        int most = 0;
        for (int from = 0, to = 0; from < steps.length; from++) {
            while (to < steps.length && steps[to] - steps[from] <= nearSteps) {
                to++;
            }
            most = Math.max(most, to - from);
        }
        return most;
    }

    /** The ranks that report from about there. */
    IntStream near(long step) {
        return ranks.values().stream()
                .filter(rank -> Math.abs(rank.step() - step) <= nearSteps)
                .mapToInt(Astray::rank);
    }

    List<Astray> ranks() {
        return new ArrayList<>(ranks.values());
    }
}
