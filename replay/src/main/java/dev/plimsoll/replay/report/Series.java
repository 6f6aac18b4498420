package dev.plimsoll.replay.report;

import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.ReplayResult;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which windows the page draws over time: all, or, where there are too many, those that bound each stretch of time. Every one drawn is
 * a window as it was; none is an average of several.
 *
 * @param windows those that are drawn, oldest first
 * @param thinned whether others are left out
 */
record Series(List<PastWindow> windows, boolean thinned) {
    Series {
        windows = List.copyOf(windows);
    }

    /**
     * Keeps, of each stretch and each run, the windows with the least and the largest mean balancedness, the least of a layer and the
     * hottest ranks; besides the first and last window, those that could not be used next to those that could, and {@code always}.
     *
     * @param most windows times runs, about
     * @param always indices of windows that are kept in any case
     */
    static Series of(ReplayResult result, long most, Set<Long> always) {
        List<PastWindow> all = result.windows();
        List<PolicyRun> runs =
                Stream.concat(result.live().stream(), result.runs().stream()).toList();
        long room = most / Math.max(1, runs.size());
        if (all.size() <= room) {
            return new Series(all, false);
        }
        Map<Long, Integer> place = new HashMap<>();
        for (int i = 0; i < all.size(); i++) {
            place.put(all.get(i).index(), i);
        }
        Set<Integer> kept = new TreeSet<>(Set.of(0, all.size() - 1));
        always.stream().map(place::get).filter(i -> i != null).forEach(kept::add);
        // Four of each run and stretch, and two of a run often agree.
        int stretches = (int) Math.max(1, room / (4L * runs.size()));
        for (PolicyRun run : runs) {
            keep(run, place, kept, all.size(), stretches, ServedWindow::mean);
            keep(run, place, kept, all.size(), stretches, window -> -window.mean());
            keep(run, place, kept, all.size(), stretches, ServedWindow::min);
            keep(run, place, kept, all.size(), stretches, window -> -window.hottestLoad());
        }
        int edges = 0;
        for (int i = 1; i < all.size() && edges < room; i++) {
            if (all.get(i).usable() != all.get(i - 1).usable()) {
                kept.add(i - 1);
                kept.add(i);
                edges += 2;
            }
        }
        return new Series(kept.stream().map(all::get).toList(), true);
    }

    /** The least of every stretch. */
    private static void keep(
            PolicyRun run,
            Map<Long, Integer> place,
            Set<Integer> kept,
            int windows,
            int stretches,
            ToDoubleFunction<ServedWindow> value) {
        int[] least = new int[stretches];
        double[] values = new double[stretches];
        Arrays.fill(least, -1);
        for (ServedWindow window : run.served()) {
            Integer at = place.get(window.index());
            double of = value.applyAsDouble(window);
            if (at == null || !Double.isFinite(of)) {
                continue;
            }
            int stretch = (int) ((long) at * stretches / windows);
            if (least[stretch] < 0 || of < values[stretch]) {
                least[stretch] = at;
                values[stretch] = of;
            }
        }
        for (int at : least) {
            if (at >= 0) {
                kept.add(at);
            }
        }
    }

    /** A run's windows by index. */
    static Map<Long, ServedWindow> served(PolicyRun run) {
        return run.served().stream()
                .collect(Collectors.toMap(ServedWindow::index, window -> window, (first, second) -> second));
    }
}
