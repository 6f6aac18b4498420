package dev.plimsoll.replay.source;

import dev.plimsoll.model.Placement;
import dev.plimsoll.model.WindowSummary;
import dev.plimsoll.planner.WindowLoad;
import java.util.Optional;

/**
 * A window as the topics have it.
 *
 * @param firstOffset of its first record in the windows topic; 0 where there is none
 * @param load what it says of the experts; there if it may be planned from
 * @param why it may not be planned from; empty where it may
 * @param hottestLoad load of the busiest rank, summed over layers; NaN where its records are not all there
 */
public record LiveWindow(
        WindowSummary summary, long firstOffset, Optional<WindowLoad> load, String why, double hottestLoad) {
    public long index() {
        return summary.index();
    }

    public boolean usable() {
        return load.isPresent();
    }

    /** What was served at its end; there if it may be planned from and has a segment. */
    public Optional<Placement> servedLast() {
        return load.filter(window -> !window.served().isEmpty())
                .map(window -> window.served().get(window.served().size() - 1));
    }
}
