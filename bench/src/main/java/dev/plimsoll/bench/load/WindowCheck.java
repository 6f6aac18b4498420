package dev.plimsoll.bench.load;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whether every window says exactly what was sent, and how long after its last sample it could be read. Any thread.
 */
final class WindowCheck {
    private final Map<Long, Long> sent = new TreeMap<>();
    private final Map<Long, Long> lastSentNanos = new TreeMap<>();
    private final Map<Long, Long> summed = new TreeMap<>();
    private final Map<Long, WindowSummary> summaries = new TreeMap<>();
    private final List<Double> lagMillis = new ArrayList<>();
    private int duplicates;

    /** The broker has a sample of this window. */
    synchronized void sent(long window, long load, long nowNanos) {
        sent.merge(window, load, Long::sum);
        lastSentNanos.put(window, nowNanos);
    }

    synchronized void read(LoadWindow part) {
        summed.merge(part.index(), part.load().sum(), Long::sum);
    }

    synchronized void read(WindowSummary summary, long nowNanos) {
        if (summaries.put(summary.index(), summary) != null) {
            duplicates++;
        }
        Long last = lastSentNanos.get(summary.index());
        if (last != null) {
            lagMillis.add((nowNanos - last) / 1e6);
        }
    }

    synchronized int windows() {
        return summaries.size();
    }

    /** The q-th quantile of the time from a window's last sample to its summary, in ms. */
    synchronized double lagMillis(double q) {
        double[] sorted =
                lagMillis.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted.length == 0 ? Double.NaN : sorted[(int) Math.min(sorted.length - 1, q * sorted.length)];
    }

    /** What is wrong, in words; empty when every window before {@code windows} is there once, complete and exact. */
    synchronized List<String> faults(long windows) {
        List<String> faults = new ArrayList<>();
        if (duplicates > 0) {
            faults.add(duplicates + " windows were published twice");
        }
        for (long window = 0; window < windows; window++) {
            WindowSummary summary = summaries.get(window);
            long expected = sent.getOrDefault(window, 0L);
            long found = summed.getOrDefault(window, 0L);
            if (summary == null) {
                faults.add("window " + window + " is missing");
            } else if (!summary.complete()) {
                faults.add(summary.summary());
            } else if (expected != found || summary.accepted() != expected) {
                faults.add("window " + window + " has " + found + " in its records and " + summary.accepted()
                        + " in its summary, but " + expected + " was sent");
            }
        }
        return faults;
    }
}
