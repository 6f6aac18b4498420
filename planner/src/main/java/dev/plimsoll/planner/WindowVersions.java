package dev.plimsoll.planner;

import dev.plimsoll.model.PlacementState;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** The lowest settled version that each of the windows refers to that a plan looks back on. For one thread. */
final class WindowVersions {
    private record Window(long firstOffset, int lowest) {}

    private final Deque<Window> windows = new ArrayDeque<>();

    void add(WindowJoin.Whole whole) {
        int lowest = whole.summary().states().stream()
                .mapToInt(PlacementState::settledVersion)
                .min()
                .orElse(Integer.MAX_VALUE);
        windows.addLast(new Window(whole.firstOffset(), lowest));
    }

    /**
     * The lowest version of all; empty without windows.
     *
     * @param oldestOffset of the windows that are looked back on still, empty when none is
     */
    OptionalInt lowest(OptionalLong oldestOffset) {
        windows.removeIf(window -> oldestOffset.isEmpty() || window.firstOffset() < oldestOffset.getAsLong());
        return windows.stream().mapToInt(Window::lowest).min();
    }
}
