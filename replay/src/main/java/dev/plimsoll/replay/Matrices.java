package dev.plimsoll.replay;

import dev.plimsoll.model.Placement;
import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.result.WindowMatrix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The windows whose loads are kept whole: those with the largest decisions and those that were balanced worst, as many as there is room
 * for, however many go by.
 */
final class Matrices {
    /** Of loads and placements together: what one file for people can hold. */
    private static final int MOST_NUMBERS = 600_000;

    private static final int MOST = 24;
    private static final int FEWEST = 4;

    /**
     * A window that is kept.
     *
     * @param rank the lower the better a reason to keep it
     * @param placements {@code [run]} served at its end
     */
    private record Kept(WindowMatrix matrix, double rank, List<Placement> placements) {}

    private static final Comparator<Kept> BEST_FIRST = Comparator.comparingDouble(Kept::rank)
            .thenComparing(kept -> kept.matrix().index());

    private final int room;
    private final List<Kept> decisions = new ArrayList<>();
    private final List<Kept> worst = new ArrayList<>();

    /** @param numbers of one window: its loads and the placements of all runs */
    Matrices(long numbers) {
        this.room = (int) Math.max(FEWEST, Math.min(MOST, MOST_NUMBERS / Math.max(1, numbers)));
    }

    /**
     * A window has gone by.
     *
     * @param moves of the largest decision that was made from it, 0 for none
     * @param balancedness the lowest of all runs, NaN without load
     * @param placements {@code [run]} at its end
     */
    void offer(ExpertLoad load, int moves, double balancedness, List<Placement> placements) {
        if (moves > 0) {
            keep(decisions, load, "decision", -moves, placements);
        }
        if (Double.isFinite(balancedness)) {
            keep(worst, load, "worst", balancedness, placements);
        }
    }

    private void keep(List<Kept> among, ExpertLoad load, String why, double rank, List<Placement> placements) {
        int most = room / 2;
        if (among.size() == most && among.get(most - 1).rank() <= rank) {
            return;
        }
        among.add(new Kept(new WindowMatrix(load.windowIndex(), why, array(load)), rank, List.copyOf(placements)));
        among.sort(BEST_FIRST);
        if (among.size() > most) {
            among.remove(most);
        }
    }

    private static long[][] array(ExpertLoad load) {
        long[][] array = new long[load.layers()][load.experts()];
        for (int layer = 0; layer < array.length; layer++) {
            for (int expert = 0; expert < array[layer].length; expert++) {
                array[layer][expert] = load.at(layer, expert);
            }
        }
        return array;
    }

    /** By window; one that is kept for a decision is not told of as one of the worst too. */
    private TreeMap<Long, Kept> byIndex() {
        TreeMap<Long, Kept> found = new TreeMap<>();
        Stream.concat(decisions.stream(), worst.stream())
                .forEach(kept -> found.putIfAbsent(kept.matrix().index(), kept));
        return found;
    }

    List<WindowMatrix> matrices() {
        return byIndex().values().stream().map(Kept::matrix).toList();
    }

    /** {@code [layer][slot]} by window, of one run; the complement of its expert where a slot is idle. */
    Map<Long, int[][]> placements(int run) {
        Map<Long, int[][]> found = new TreeMap<>();
        byIndex()
                .forEach((index, kept) ->
                        found.put(index, kept.placements().get(run).marked()));
        return found;
    }
}
