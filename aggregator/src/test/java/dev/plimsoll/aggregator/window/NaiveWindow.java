package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.CloseReason;
import dev.plimsoll.model.End;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a closed window should hold, worked out again from the whole log and the offsets at which windows closed, in the slowest and
 * plainest way: no memory between records but a set of counted (rank, boundary, layer).
 */
final class NaiveWindow {
    private final RandomLog log;
    private final List<ClosedWindow> closed;

    NaiveWindow(RandomLog log, List<ClosedWindow> closed) {
        this.log = log;
        this.closed = closed;
    }

    /** In words, how a window differs from what it should be. */
    Optional<String> difference(ClosedWindow window) {
        WindowSummary summary = window.summary();
        Map<String, Long> expected = new HashMap<>();
        Set<String> counted = new HashSet<>();
        Set<PlacementState> states = new HashSet<>();
        long accepted = 0;
        Membership members = null;
        boolean ended = false;
        for (RandomLog.Entry entry : log.entries) {
            if (entry.offset() > summary.closingOffset()
                    || !entry.record().deployment().equals(summary.deployment())) {
                continue;
            }
            if (entry.record() instanceof Membership next
                    && (members == null || next.incarnation() > members.incarnation())) {
                members = next;
                ended = false;
            } else if (entry.record() instanceof End end
                    && members != null
                    && end.incarnation() == members.incarnation()) {
                ended = true;
            } else if (entry.record() instanceof LoadSample sample
                    && members != null
                    && !ended
                    && members.incarnation() == summary.incarnation()
                    && belongs(sample, members, summary, entry.offset())) {
                if (!states.contains(sample.state()) && states.size() == members.boundariesPerWindow()) {
                    continue;
                }
                accepted += count(sample, members, counted, states, expected);
            }
        }
        return compare(window, expected, counted, accepted);
    }

    private boolean belongs(LoadSample sample, Membership members, WindowSummary summary, long offset) {
        return sample.incarnation() == members.incarnation()
                && sample.firstRank() + sample.ranks() <= members.topology().ranks()
                && sample.steps().from() % members.boundarySteps() == 0
                && !sample.mixed()
                && summary.steps().contains(sample.steps())
                && inReach(summary, offset);
    }

    /** Whether the window was not too far ahead when the record came, or was not once the record had made the fold jump. */
    private boolean inReach(WindowSummary summary, long offset) {
        boolean jumped = closed.stream()
                .map(ClosedWindow::summary)
                .anyMatch(other -> sameLife(other, summary)
                        && other.closingOffset() == offset
                        && other.reason() == CloseReason.RESYNC);
        long before = firstOpen(summary, offset, 0);
        int ahead = log.settings.windowsAhead();
        return summary.index() <= before + ahead
                || (jumped && summary.index() <= firstOpen(summary, offset, before + ahead + 1) + ahead);
    }

    /** The first window, of at least some index, that was not closed before an offset: the record at that offset found it open. */
    private long firstOpen(WindowSummary summary, long offset, long atLeast) {
        return closed.stream()
                .map(ClosedWindow::summary)
                .filter(other ->
                        sameLife(other, summary) && other.closingOffset() >= offset && other.index() >= atLeast)
                .findFirst()
                .map(WindowSummary::index)
                .orElse(-1L - log.settings.windowsAhead());
    }

    static boolean sameLife(WindowSummary a, WindowSummary b) {
        return a.deployment().equals(b.deployment()) && a.incarnation() == b.incarnation();
    }

    private static long count(
            LoadSample sample,
            Membership members,
            Set<String> counted,
            Set<PlacementState> states,
            Map<String, Long> sums) {
        long accepted = 0;
        for (int rank = 0; rank < sample.ranks(); rank++) {
            List<String> cells = new ArrayList<>();
            for (long step = sample.steps().from(); step < sample.steps().to(); step += members.boundarySteps()) {
                for (int layer = 0; layer < sample.layers(); layer++) {
                    cells.add((sample.firstRank() + rank) + "/" + step + "/" + (sample.firstLayer() + layer));
                }
            }
            if (cells.stream().anyMatch(counted::contains)) {
                continue;
            }
            counted.addAll(cells);
            states.add(sample.state());
            for (int layer = 0; layer < sample.layers(); layer++) {
                for (int slot = 0; slot < sample.slotsPerRank(); slot++) {
                    long load = sample.load(rank, layer, slot);
                    int global = (sample.firstRank() + rank) * sample.slotsPerRank() + slot;
                    sums.merge(
                            sample.state() + "/" + (sample.firstLayer() + layer) + "/" + global, load, Math::addExact);
                    accepted += load;
                }
            }
        }
        return accepted;
    }

    private static Optional<String> compare(
            ClosedWindow window, Map<String, Long> expected, Set<String> counted, long accepted) {
        WindowSummary summary = window.summary();
        Map<String, Long> actual = new HashMap<>();
        for (LoadWindow load : window.loads()) {
            for (int slot = 0; slot < load.load().size(); slot++) {
                actual.merge(
                        load.state() + "/" + load.layer() + "/" + (load.firstSlot() + slot),
                        load.load().at(slot),
                        Math::addExact);
            }
            if (load.subLoad().sum() != load.load().sum()) {
                return Optional.of("sub-windows do not add up in " + load);
            }
        }
        expected.values().removeIf(value -> value == 0);
        actual.values().removeIf(value -> value == 0);
        if (!actual.equals(expected) || summary.accepted() != accepted) {
            return Optional.of("sums of " + summary.summary() + " are " + actual + ", should be " + expected);
        }
        if (summary.present().sum() > counted.size()) {
            return Optional.of("more cells present than counted in " + summary);
        }
        return Optional.empty();
    }
}
