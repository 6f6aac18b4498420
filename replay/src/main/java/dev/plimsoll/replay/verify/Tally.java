package dev.plimsoll.replay.verify;

import java.util.Map;
import java.util.TreeMap;

/** How many windows without a decision there were, by what is known of them. */
public final class Tally {
    /** What is known of a window without a decision. */
    public enum Window {
        /** This side keeps the placement too. */
        AGREED,
        /** It cannot be planned from. */
        UNUSABLE,
        /** Fewer than two windows had been seen. */
        COLD,
        /** A decision was in flight. */
        IN_FLIGHT,
        /** Too soon after a decision. */
        COOLDOWN,
        /** Too soon after decisions that came to nothing, one after another. */
        BACK_OFF,
        /** No planner's term had begun, or its settings are not known. */
        NO_SETTINGS,
        /** The ranks cannot vote. */
        OBSERVE_ONLY,
        /** What was settled is not known. */
        UNKNOWN_PLACEMENT,
        /** This side would have decided. */
        WOULD_DECIDE,
        /** Nobody asked. */
        LEFT_OUT
    }

    private final Map<Window, Integer> counts = new TreeMap<>();

    void add(Window window) {
        counts.merge(window, 1, Integer::sum);
    }

    /** {@code kind → windows}, those that there were. */
    public Map<Window, Integer> counts() {
        return Map.copyOf(counts);
    }

    public int of(Window window) {
        return counts.getOrDefault(window, 0);
    }

    /** All windows without a decision. */
    public int total() {
        return counts.values().stream().mapToInt(Integer::intValue).sum();
    }
}
