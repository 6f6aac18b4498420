package dev.plimsoll.replay.export;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.replay.export.DeploymentRecords.Dated;
import dev.plimsoll.wire.Topic;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The windows of a stretch of time, one after the other, each put together with its summary from the other topic. Both topics have them
 * in the same order, and a window's records share one timestamp; so little waits in memory. What is not whole is left out and counted.
 */
final class Windows implements AutoCloseable {
    private record Key(long incarnation, long index) {}

    private record Part(int segment, int layer, int firstSlot) {}

    private final DeploymentRecords history;
    private final OptionalLong only;
    private final DeploymentRecords.Log<LoadWindow> rows;
    private final DeploymentRecords.Log<WindowSummary> summaries;
    /** Of one timestamp. */
    private final Map<Key, WindowSummary> passed = new HashMap<>();

    private long passedMillis;
    private final Map<Long, Optional<Membership>> members = new HashMap<>();
    private Optional<Dated<LoadWindow>> nextRow;
    private Optional<Dated<WindowSummary>> nextSummary;
    private int notWhole;

    /** @param only the incarnation that is wanted, all when empty */
    Windows(DeploymentRecords history, TimeRange times, OptionalLong only) {
        this.history = history;
        this.only = only;
        this.rows = history.read(Topic.WINDOWS, times);
        this.summaries = history.read(Topic.WINDOW_SUMMARIES, times);
        this.nextRow = rows.next();
        this.nextSummary = summaries.next();
    }

    /** How many were left out so far because a part of them is not there. */
    int notWhole() {
        return notWhole;
    }

    /** The next one that is whole; empty at the end. */
    Optional<WholeWindow> next() {
        while (nextRow.isPresent()) {
            Dated<LoadWindow> first = nextRow.orElseThrow();
            Key key = key(first.value());
            List<LoadWindow> parts = takeParts(key);
            if (only.isPresent() && only.getAsLong() != key.incarnation()) {
                continue;
            }
            Optional<WindowSummary> summary = summary(key, first.timestampMillis());
            Optional<Membership> of = members.computeIfAbsent(key.incarnation(), history::members);
            if (summary.isPresent() && isWhole(summary.orElseThrow(), parts, of)) {
                return Optional.of(new WholeWindow(summary.orElseThrow(), parts, of));
            }
            notWhole++;
        }
        return Optional.empty();
    }

    private List<LoadWindow> takeParts(Key key) {
        List<LoadWindow> parts = new ArrayList<>();
        Set<Part> seen = new HashSet<>();
        while (nextRow.isPresent() && key(nextRow.orElseThrow().value()).equals(key)) {
            LoadWindow row = nextRow.orElseThrow().value();
            if (seen.add(new Part(row.segment(), row.layer(), row.firstSlot()))) {
                parts.add(row);
            }
            nextRow = rows.next();
        }
        return parts;
    }

    /** Those before it have no records that are still to come: retention of the two topics differs. */
    private Optional<WindowSummary> summary(Key key, long timestampMillis) {
        if (timestampMillis != passedMillis) {
            passed.clear();
            passedMillis = timestampMillis;
        }
        while (nextSummary.isPresent() && nextSummary.orElseThrow().timestampMillis() <= timestampMillis) {
            Dated<WindowSummary> summary = nextSummary.orElseThrow();
            if (summary.timestampMillis() == timestampMillis) {
                passed.put(
                        new Key(summary.value().incarnation(), summary.value().index()), summary.value());
            }
            nextSummary = summaries.next();
        }
        return Optional.ofNullable(passed.get(key));
    }

    private static boolean isWhole(WindowSummary summary, List<LoadWindow> parts, Optional<Membership> members) {
        long slots = parts.stream().mapToLong(part -> part.load().size()).sum();
        return members.map(of -> slots
                        == (long) summary.states().size()
                                * of.shape().layers()
                                * of.topology().slots())
                .orElse(parts.stream().mapToInt(LoadWindow::segment).distinct().count()
                        == summary.states().size());
    }

    private static Key key(LoadWindow row) {
        return new Key(row.incarnation(), row.index());
    }

    @Override
    public void close() {
        rows.close();
        summaries.close();
    }
}
