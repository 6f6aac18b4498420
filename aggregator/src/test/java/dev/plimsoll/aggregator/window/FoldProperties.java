package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState;
import dev.plimsoll.model.AggregatorState.Counts;
import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** What has to hold of a fold over any log, wherever it is cut into batches and wherever it crashes. */
final class FoldProperties {
    private final long seed;
    private final FoldVariant variant;
    private final RandomLog log;
    private final Tally tally = new Tally();

    private FoldProperties(long seed, FoldVariant variant) {
        this.seed = seed;
        this.variant = variant;
        this.log = new RandomLog(seed);
    }

    /** In words, the first property that does not hold. */
    static Optional<String> violation(long seed, FoldVariant variant, boolean thorough) {
        return new FoldProperties(seed, variant).violation(thorough).map(text -> "seed " + seed + ": " + text);
    }

    private static final class Tally implements FoldListener {
        long cells;
        long acceptedLoad;
        Counts counts = Counts.NONE;

        @Override
        public void fate(Deployment deployment, Fate fate, long cells, long load) {
            this.cells += cells;
            acceptedLoad += fate == Fate.ACCEPTED ? load : 0;
            if (fate != Fate.UNKNOWN_DEPLOYMENT) {
                Ledger ledger = new Ledger(deployment, FoldListener.NONE, Counts.NONE);
                ledger.count(fate, cells, load);
                counts = counts.plus(ledger.take());
            }
        }
    }

    private Optional<String> violation(boolean thorough) {
        Fold fold =
                new Fold(Fold.nothing(3), log.settings, tally, variant.rules().apply(log));
        List<ClosedWindow> closed = new ArrayList<>();
        for (RandomLog.Entry entry : log.entries) {
            fold.fold(entry.offset(), entry.appendTime(), entry.record())
                    .ifPresent(checkpoint -> closed.addAll(checkpoint.windows()));
        }
        return chain(closed)
                .or(() -> conservation(closed, fold.state()))
                .or(() -> liveness(closed))
                .or(() -> crashes(closed, fold.state()))
                .or(() -> thorough ? sums(closed) : Optional.empty());
    }

    /** W2: once per window, in order, without gaps but behind a RESYNC. */
    private static Optional<String> chain(List<ClosedWindow> closed) {
        Map<Deployment, WindowSummary> last = new HashMap<>();
        Map<Deployment, Long> resyncAt = new HashMap<>();
        for (ClosedWindow window : closed) {
            WindowSummary summary = window.summary();
            Optional<WindowSummary> before = Optional.ofNullable(last.put(summary.deployment(), summary))
                    .filter(other -> NaiveWindow.sameLife(other, summary));
            long previous = before.map(WindowSummary::index).orElse(-1L);
            boolean jumps = before.isPresent()
                    && resyncAt.getOrDefault(summary.deployment(), -1L)
                            == before.get().closingOffset();
            if (summary.previousIndex() != previous || (!jumps && summary.index() != previous + 1)) {
                return Optional.of("chain is broken: " + before + " then " + summary);
            }
            if (summary.reason() == CloseReason.RESYNC) {
                resyncAt.put(summary.deployment(), summary.closingOffset());
            }
        }
        return Optional.empty();
    }

    /** W3: every cell has one fate, and what was accepted is in the windows. */
    private Optional<String> conservation(List<ClosedWindow> closed, AggregatorState end) {
        long cells = log.entries.stream()
                .mapToLong(entry -> entry.record() instanceof LoadSample sample ? sample.ranks() : 0)
                .sum();
        long inWindows =
                closed.stream().mapToLong(window -> window.summary().accepted()).sum();
        Counts reported = closed.stream()
                .map(ClosedWindow::summary)
                .map(s -> new Counts(s.late(), s.duplicates(), s.conflicts(), s.rejected(), s.unattributed()))
                .reduce(Counts.NONE, Counts::plus);
        for (AggregatorState.Sequence sequence : end.sequences()) {
            reported = reported.plus(sequence.counts());
        }
        if (cells != tally.cells) {
            return Optional.of(cells + " cells were read, " + tally.cells + " have a fate");
        }
        if (log.ended ? inWindows != tally.acceptedLoad : inWindows > tally.acceptedLoad) {
            return Optional.of("load " + tally.acceptedLoad + " was accepted, " + inWindows + " is in windows");
        }
        return reported.equals(tally.counts)
                ? Optional.empty()
                : Optional.of("counted " + tally.counts + ", reported " + reported);
    }

    /** W5: once everybody reports again, the last window but two is closed at the latest. */
    private Optional<String> liveness(List<ClosedWindow> closed) {
        Map<Deployment, LoadSample> newest = new HashMap<>();
        for (RandomLog.Entry entry : log.entries) {
            if (entry.record() instanceof LoadSample sample) {
                newest.put(sample.deployment(), sample);
            }
        }
        for (LoadSample sample : newest.values()) {
            long lastEnd = closed.stream()
                    .map(ClosedWindow::summary)
                    .filter(summary -> summary.deployment().equals(sample.deployment())
                            && summary.incarnation() == sample.incarnation())
                    .mapToLong(summary ->
                            summary.steps().to() + 2 * summary.steps().length())
                    .max()
                    .orElse(0);
            if (lastEnd < sample.steps().to()) {
                return Optional.of("windows stopped closing two windows behind " + lastEnd + ", before " + sample);
            }
        }
        return Optional.empty();
    }

    /** W1, E4: the same windows and the same state, with any batches and crashes, and the committed offset only grows. */
    private Optional<String> crashes(List<ClosedWindow> expected, AggregatorState end) {
        Random random = new Random(seed);
        int crashOneIn = 2 + random.nextInt(8);
        List<ClosedWindow> committed = new ArrayList<>();
        AggregatorState state = Fold.nothing(3);
        Fold fold = recover(state);
        Deque<Checkpoint> pending = new ArrayDeque<>();
        int next = 0;
        int crashes = 0;
        while (next < log.entries.size()) {
            int batch = 1 + random.nextInt(12);
            for (; batch > 0 && next < log.entries.size(); batch--, next++) {
                RandomLog.Entry entry = log.entries.get(next);
                fold.fold(entry.offset(), entry.appendTime(), entry.record()).ifPresent(pending::add);
            }
            boolean dies = crashes < 6 && random.nextInt(crashOneIn) == 0;
            int commits = dies ? random.nextInt(pending.size() + 1) : pending.size();
            for (; commits > 0; commits--) {
                Checkpoint checkpoint = pending.remove();
                committed.addAll(checkpoint.windows());
                AggregatorState kept = variant.stateOfPosition()
                        ? new AggregatorState(
                                3, checkpoint.state().asOf(), fold.state().sequences())
                        : checkpoint.state();
                if (kept.nextInputOffset() < state.nextInputOffset()) {
                    return Optional.of("committed offset falls from " + state + " to " + kept);
                }
                state = kept;
            }
            if (!dies && fold.live() && random.nextInt(6) == 0) {
                state = fold.state();
            }
            if (dies) {
                crashes++;
                pending.clear();
                fold = recover(state);
                long from = state.nextInputOffset();
                next = 0;
                while (next < log.entries.size() && log.entries.get(next).offset() < from) {
                    next++;
                }
            }
        }
        if (!committed.equals(expected)) {
            return Optional.of("with crashes " + lines(committed) + "\nwithout " + lines(expected));
        }
        return !fold.live() || fold.state().equals(end)
                ? Optional.empty()
                : Optional.of("state with crashes " + fold.state() + ", without " + end);
    }

    private Fold recover(AggregatorState state) {
        AggregatorState recovered = variant.recovered().apply(state);
        return new Fold(
                recovered, log.settings, FoldListener.NONE, variant.rules().apply(log));
    }

    /** W4, W6, W8: windows hold exactly what a naive reading of the log puts into them. */
    private Optional<String> sums(List<ClosedWindow> closed) {
        NaiveWindow naive = new NaiveWindow(log, closed);
        return closed.stream()
                .flatMap(window -> naive.difference(window).stream())
                .findFirst();
    }

    private static String lines(List<ClosedWindow> windows) {
        StringBuilder lines = new StringBuilder();
        windows.forEach(window -> lines.append("\n  ")
                .append(window.summary().closingOffset())
                .append(' ')
                .append(window.summary().summary()));
        return lines.toString();
    }
}
