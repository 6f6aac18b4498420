package dev.plimsoll.aggregator;

import dev.plimsoll.aggregator.window.Fate;
import dev.plimsoll.model.Deployment;
import java.util.LinkedHashMap;
import java.util.Map;

/** What became of cells since it was told last: a meter is looked up once for what a poll brought, not for every sample. */
final class FateCounts {
    private static final Fate[] FATES = Fate.values();

    /** {@code [fate · 2]} cells and behind them their load. */
    private final Map<Deployment, long[]> counts = new LinkedHashMap<>();

    void add(Deployment deployment, Fate fate, long cells, long load) {
        long[] of = counts.computeIfAbsent(deployment, none -> new long[2 * FATES.length]);
        of[2 * fate.ordinal()] += cells;
        of[2 * fate.ordinal() + 1] += load;
    }

    void tell(AggregatorListener listener) {
        counts.forEach((deployment, of) -> {
            for (Fate fate : FATES) {
                if (of[2 * fate.ordinal()] > 0) {
                    listener.fate(deployment, fate, of[2 * fate.ordinal()], of[2 * fate.ordinal() + 1]);
                }
            }
        });
        counts.clear();
    }
}
