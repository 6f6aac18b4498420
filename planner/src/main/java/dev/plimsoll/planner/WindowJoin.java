package dev.plimsoll.planner;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * Puts the records of one deployment's windows together with their summaries, which come from another topic in no known order.
 *
 * <p>A window is whole when its summary is there and every slot of every layer of every segment is. Both topics are in order
 * of windows, so windows become whole in order, and one that is still open then will never be whole.
 */
public final class WindowJoin {
    /** Windows that may be open at once; the oldest gives way. */
    static final int MOST_OPEN = 64;

    /** Why windows were given up. */
    public enum Drop {
        /** A later one was whole first: its summary or a part of it is out of reach. */
        OVERTAKEN,
        /** Too many were open. */
        OVERFLOW,
        /** Of an incarnation that is not in force. */
        FOREIGN_INCARNATION
    }

    /**
     * A window with all its parts.
     *
     * @param firstOffset of its first record in the windows topic
     * @param rows in the order they came
     */
    record Whole(WindowSummary summary, long firstOffset, List<LoadWindow> rows) {
        Whole {
            rows = List.copyOf(rows);
        }
    }

    private record Key(long incarnation, long index) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int order = Long.compare(incarnation, other.incarnation);
            return order != 0 ? order : Long.compare(index, other.index);
        }
    }

    private record Part(int segment, int layer, int firstSlot) {}

    private static final class Open {
        private final List<LoadWindow> rows = new ArrayList<>();
        private final Set<Part> parts = new HashSet<>();
        private Optional<WindowSummary> summary = Optional.empty();
        private OptionalLong firstOffset = OptionalLong.empty();
        private long slots;
    }

    private final TreeMap<Key, Open> open = new TreeMap<>();
    private Key taken = new Key(0, -1);
    private int overflowed;

    void add(LoadWindow row, long offset) {
        Open window = open(new Key(row.incarnation(), row.index()));
        if (window != null && window.parts.add(new Part(row.segment(), row.layer(), row.firstSlot()))) {
            window.rows.add(row);
            window.slots += row.load().size();
            if (window.firstOffset.isEmpty()) {
                window.firstOffset = OptionalLong.of(offset);
            }
        }
    }

    void add(WindowSummary summary) {
        Open window = open(new Key(summary.incarnation(), summary.index()));
        if (window != null) {
            window.summary = Optional.of(summary);
        }
    }

    private @org.jspecify.annotations.Nullable Open open(Key key) {
        if (key.compareTo(taken) <= 0) {
            return null;
        }
        Open window = open.computeIfAbsent(key, none -> new Open());
        if (open.size() > MOST_OPEN) {
            open.pollFirstEntry();
            overflowed++;
        }
        return window;
    }

    /** Whether a complete window after that one is announced whose records are still to come. */
    boolean awaitsLater(long incarnation, long index) {
        return open.tailMap(new Key(incarnation, index), false).entrySet().stream()
                .anyMatch(entry -> entry.getKey().incarnation() == incarnation
                        && entry.getValue()
                                .summary
                                .filter(WindowSummary::complete)
                                .isPresent());
    }

    /** Windows given up for want of room since the last call. */
    int takeOverflowed() {
        int count = overflowed;
        overflowed = 0;
        return count;
    }

    /** Gives up windows of incarnations before this one; how many. */
    int dropBefore(long incarnation) {
        Map<Key, Open> before = open.headMap(new Key(incarnation, -1));
        int count = before.size();
        before.clear();
        return count;
    }

    /** The oldest whole window of the incarnation and how many before it were overtaken. */
    Optional<Whole> takeWhole(Membership members) {
        for (Map.Entry<Key, Open> entry : open.entrySet()) {
            Open window = entry.getValue();
            if (entry.getKey().incarnation() != members.incarnation() || window.summary.isEmpty()) {
                continue;
            }
            WindowSummary summary = window.summary.orElseThrow();
            long wanted = (long) summary.states().size()
                    * members.shape().layers()
                    * members.topology().slots();
            if (window.slots == wanted) {
                Key key = entry.getKey();
                Whole whole = new Whole(summary, window.firstOffset.orElse(Long.MAX_VALUE), window.rows);
                open.remove(key);
                taken = key;
                return Optional.of(whole);
            }
        }
        return Optional.empty();
    }

    /** Gives up what is older than the last whole window taken; how many. */
    int dropOvertaken() {
        Map<Key, Open> before = open.headMap(taken);
        int count = before.size();
        before.clear();
        return count;
    }

    /** Offset of the oldest record that is waiting. */
    OptionalLong oldestOffset() {
        return open.values().stream()
                .flatMapToLong(window -> window.firstOffset.stream())
                .min();
    }
}
