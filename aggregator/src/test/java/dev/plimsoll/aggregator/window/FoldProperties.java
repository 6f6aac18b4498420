package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.AggregatorState.Counts;
import dev.plimsoll.model.AggregatorState.Sequence;
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
import java.util.TreeMap;
import java.util.TreeSet;

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
            if (fate != Fate.UNKNOWN_DEPLOYMENT && fate != Fate.TOO_MANY_DEPLOYMENTS) {
                Ledger ledger = new Ledger(deployment, FoldListener.NONE, Counts.NONE);
                ledger.count(fate, cells, load);
                counts = counts.plus(ledger.take());
            }
        }
    }

    /** What is committed: as topics hold it, the newest of every key. */
    private static final class Committed {
        final List<ClosedWindow> windows = new ArrayList<>();
        final TreeMap<Deployment, Sequence> sequences = new TreeMap<>();
        long asOf = -1;
        long next;

        void commit(Checkpoint checkpoint) {
            windows.addAll(checkpoint.windows());
            checkpoint.changed().forEach(sequence -> sequences.put(sequence.deployment(), sequence));
            checkpoint.forgotten().forEach(sequence -> sequences.remove(sequence.deployment()));
            asOf = checkpoint.asOf();
            next = checkpoint.nextInputOffset();
        }
    }

    private Optional<String> violation(boolean thorough) {
        Fold fold =
                new Fold(3, -1, List.of(), log.settings, tally, variant.rules().apply(log), log.mostDeployments);
        List<ClosedWindow> closed = new ArrayList<>();
        for (RandomLog.Entry entry : log.entries) {
            fold.fold(entry.offset(), entry.appendTime(), entry.record())
                    .ifPresent(checkpoint -> closed.addAll(checkpoint.windows()));
        }
        return chain(closed)
                .or(() -> conservation(closed, fold.sequences()))
                .or(() -> liveness(closed))
                .or(() -> release(fold))
                .or(() -> crashes(closed, fold.sequences()))
                .or(() -> thorough ? oracle(closed) : Optional.empty());
    }

    /** W2: once per window, in order and without gaps but behind a RESYNC, each naming the one published before it. */
    private static Optional<String> chain(List<ClosedWindow> closed) {
        Map<Deployment, TreeSet<Long>> published = new HashMap<>();
        Map<Deployment, WindowSummary> last = new HashMap<>();
        for (ClosedWindow window : closed) {
            WindowSummary summary = window.summary();
            Optional<WindowSummary> before = Optional.ofNullable(last.put(summary.deployment(), summary))
                    .filter(other -> sameLife(other, summary));
            TreeSet<Long> of = published.computeIfAbsent(summary.deployment(), none -> new TreeSet<>());
            if (before.isEmpty()) {
                of.clear();
            }
            Long previous = of.lower(summary.index());
            if (summary.previousIndex() != (previous == null ? -1 : previous)) {
                return Optional.of("chain is broken: " + before + " then " + summary + ", published " + of);
            }
            long expected = before.map(WindowSummary::index).orElse(summary.index() - 1) + 1;
            while (of.contains(expected)) {
                expected++;
            }
            boolean jumps = before.isPresent() && before.get().reason() == CloseReason.RESYNC;
            if (!of.add(summary.index()) || (!jumps && summary.index() != expected)) {
                return Optional.of("out of order: " + before + " then " + summary + ", published " + of);
            }
        }
        return Optional.empty();
    }

    static boolean sameLife(WindowSummary a, WindowSummary b) {
        return a.deployment().equals(b.deployment()) && a.incarnation() == b.incarnation();
    }

    /** W3: every cell has one fate, and what was accepted is in the windows. */
    private Optional<String> conservation(List<ClosedWindow> closed, List<Sequence> end) {
        long cells = log.entries.stream()
                .mapToLong(entry -> entry.record() instanceof LoadSample sample ? sample.ranks() : 0)
                .sum();
        long inWindows =
                closed.stream().mapToLong(window -> window.summary().accepted()).sum();
        Counts reported = closed.stream()
                .map(ClosedWindow::summary)
                .map(s -> new Counts(s.late(), s.duplicates(), s.conflicts(), s.rejected(), s.unattributed()))
                .reduce(Counts.NONE, Counts::plus);
        for (Sequence sequence : end) {
            reported = reported.plus(sequence.counts());
        }
        if (cells != tally.cells) {
            return Optional.of(cells + " cells were read, " + tally.cells + " have a fate");
        }
        boolean closes = log.ended || log.died;
        if (closes ? inWindows != tally.acceptedLoad : inWindows > tally.acceptedLoad) {
            return Optional.of("load " + tally.acceptedLoad + " was accepted, " + inWindows + " is in windows");
        }
        // What was counted of a deployment since its last window is forgotten with it.
        return log.crowded() || reported.equals(tally.counts)
                ? Optional.empty()
                : Optional.of("counted " + tally.counts + ", reported " + reported);
    }

    /**
     * W5: once everybody reports again, the last window but two is closed at the latest, ahead or behind of where the fold was. Unless all
     * report what was published already, or memory or places are short.
     */
    private Optional<String> liveness(List<ClosedWindow> closed) {
        if (log.shortOfMemory || log.crowded()) {
            return Optional.empty();
        }
        Map<Deployment, LoadSample> newest = new HashMap<>();
        for (RandomLog.Entry entry : log.entries) {
            if (entry.record() instanceof LoadSample sample) {
                newest.put(sample.deployment(), sample);
            }
        }
        for (LoadSample sample : newest.values()) {
            boolean near = closed.stream()
                    .map(ClosedWindow::summary)
                    .filter(summary -> summary.deployment().equals(sample.deployment())
                            && summary.incarnation() == sample.incarnation())
                    .anyMatch(summary -> summary.steps().from()
                                    <= sample.steps().to()
                            && summary.steps().to() + 2 * summary.steps().length()
                                    >= sample.steps().to());
            if (!near) {
                return Optional.of("no window was closed near " + sample);
            }
        }
        return Optional.empty();
    }

    /** A deployment that is silent for the idle time holds nothing back. */
    private Optional<String> release(Fold fold) {
        if (!log.died) {
            return Optional.empty();
        }
        return fold.sequences().stream()
                .filter(sequence -> sequence.oldestNeeded().isPresent())
                .findFirst()
                .map(sequence -> "silence did not close the windows of " + sequence);
    }

    /** W1, E4: the same windows and the same state, with any batches and crashes, and the committed offset only grows. */
    private Optional<String> crashes(List<ClosedWindow> expected, List<Sequence> end) {
        Random random = new Random(seed);
        int crashOneIn = 2 + random.nextInt(8);
        Committed committed = new Committed();
        Fold fold = recover(committed);
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
                Checkpoint kept = variant.store().kept(pending.remove(), fold);
                if (kept.nextInputOffset() < committed.next) {
                    return Optional.of("committed offset falls from " + committed.next + " to " + kept);
                }
                committed.commit(kept);
            }
            if (!dies && fold.live() && random.nextInt(6) == 0) {
                committed.commit(variant.store().kept(fold.checkpoint(), fold));
            }
            if (dies) {
                crashes++;
                pending.clear();
                fold = recover(committed);
                next = 0;
                while (next < log.entries.size() && log.entries.get(next).offset() < committed.next) {
                    next++;
                }
            }
        }
        if (!committed.windows.equals(expected)) {
            return Optional.of("with crashes " + lines(committed.windows) + "\nwithout " + lines(expected));
        }
        return !fold.live() || fold.sequences().equals(end)
                ? Optional.empty()
                : Optional.of("state with crashes " + fold.sequences() + ", without " + end);
    }

    private Fold recover(Committed committed) {
        return new Fold(
                3,
                committed.asOf,
                committed.sequences.values().stream().map(variant.recovered()).toList(),
                log.settings,
                FoldListener.NONE,
                variant.rules().apply(log),
                log.mostDeployments);
    }

    /** Windows are what a fold that was written a second time, with nothing in mind but the rules, makes of the log. */
    private Optional<String> oracle(List<ClosedWindow> closed) {
        if (log.shortOfMemory || log.crowded()) {
            return Optional.empty();
        }
        List<NaiveFold.Window> expected = NaiveFold.windows(log);
        for (int i = 0; i < Math.max(closed.size(), expected.size()); i++) {
            Optional<NaiveFold.Window> is =
                    i < closed.size() ? Optional.of(NaiveFold.Window.of(closed.get(i))) : Optional.empty();
            Optional<NaiveFold.Window> should = i < expected.size() ? Optional.of(expected.get(i)) : Optional.empty();
            if (!is.equals(should)) {
                return Optional.of("window " + i + " is " + is + "\nshould be " + should);
            }
        }
        return Optional.empty();
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
