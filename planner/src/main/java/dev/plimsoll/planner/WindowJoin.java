package dev.plimsoll.planner;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Puts the records of one deployment's windows together with their summaries, which come from another topic in no known order.
 *
 * <p>A window is whole when its summary is there and every slot of every layer of every segment is. Both topics have the windows
 * in the order in which they were closed, so they become whole in that order, and one that is still open then will never be whole. It
 * need not be the order of their indices: behind a RESYNC lower ones may follow.
 */
public final class WindowJoin {
    /** Windows that may be open at once, with and without a summary each; the oldest gives way. */
    public static final int MOST_OPEN = 64;

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
    public record Whole(WindowSummary summary, long firstOffset, List<LoadWindow> rows) {
        public Whole {
            rows = List.copyOf(rows);
        }
    }

    private record Key(long incarnation, long index) {}

    private record Part(int segment, int layer, int firstSlot) {}

    private static final class Open {
        private final List<LoadWindow> rows = new ArrayList<>();
        private final Set<Part> parts = new HashSet<>();
        private Optional<WindowSummary> summary = Optional.empty();
        private OptionalLong firstOffset = OptionalLong.empty();
        private long slots;
    }

    /** Those whose summary is there, in the order of the summaries. */
    private final Map<Key, Open> announced = new LinkedHashMap<>();
    /** Those without a summary, in the order of their records. What is older, this or one that is announced, nobody can tell. */
    private final Map<Key, Open> unannounced = new LinkedHashMap<>();

    private int overtaken;
    private int overflowed;

    public void add(LoadWindow row, long offset) {
        Key key = new Key(row.incarnation(), row.index());
        Open window = announced.get(key);
        if (window == null) {
            window = unannounced.computeIfAbsent(key, none -> new Open());
            bound(unannounced);
        }
        if (window.parts.add(new Part(row.segment(), row.layer(), row.firstSlot()))) {
            window.rows.add(row);
            window.slots += row.load().size();
            if (window.firstOffset.isEmpty()) {
                window.firstOffset = OptionalLong.of(offset);
            }
        }
    }

    public void add(WindowSummary summary) {
        Key key = new Key(summary.incarnation(), summary.index());
        Open known = unannounced.remove(key);
        Open window = announced.computeIfAbsent(key, none -> known == null ? new Open() : known);
        window.summary = Optional.of(summary);
        bound(announced);
    }

    private void bound(Map<Key, Open> open) {
        if (open.size() > MOST_OPEN) {
            open.remove(open.keySet().iterator().next());
            overflowed++;
        }
    }

    /** Whether a complete window of the incarnation is announced whose records are still to come. */
    boolean awaits(long incarnation) {
        return announced.entrySet().stream()
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
        int before = announced.size() + unannounced.size();
        announced.keySet().removeIf(key -> key.incarnation() < incarnation);
        unannounced.keySet().removeIf(key -> key.incarnation() < incarnation);
        return before - announced.size() - unannounced.size();
    }

    /** The oldest whole window of the incarnation; older ones that are still open are given up. */
    public Optional<Whole> takeWhole(Membership members) {
        boolean oldest = true;
        for (Map.Entry<Key, Open> entry : announced.entrySet()) {
            if (entry.getKey().incarnation() != members.incarnation()) {
                continue;
            }
            Open window = entry.getValue();
            WindowSummary summary = window.summary.orElseThrow();
            long wanted = (long) summary.states().size()
                    * members.shape().layers()
                    * members.topology().slots();
            // One without any records says nothing about how far those of others have come.
            if (window.slots == wanted && (wanted > 0 || oldest)) {
                Whole whole = new Whole(summary, window.firstOffset.orElse(Long.MAX_VALUE), window.rows);
                dropThrough(entry.getKey(), window.firstOffset);
                return Optional.of(whole);
            }
            oldest = false;
        }
        return Optional.empty();
    }

    private void dropThrough(Key taken, OptionalLong firstOffset) {
        Iterator<Key> keys = announced.keySet().iterator();
        while (!keys.next().equals(taken)) {
            keys.remove();
            overtaken++;
        }
        keys.remove();
        if (firstOffset.isPresent()) {
            int before = unannounced.size();
            unannounced.values().removeIf(window -> window.firstOffset.orElseThrow() < firstOffset.getAsLong());
            overtaken += before - unannounced.size();
        }
    }

    /** Windows given up for a later one that was whole, since the last call. */
    int takeOvertaken() {
        int count = overtaken;
        overtaken = 0;
        return count;
    }

    /** Offset of the oldest record that is waiting. */
    OptionalLong oldestOffset() {
        return Stream.concat(announced.values().stream(), unannounced.values().stream())
                .flatMapToLong(window -> window.firstOffset.stream())
                .min();
    }
}
