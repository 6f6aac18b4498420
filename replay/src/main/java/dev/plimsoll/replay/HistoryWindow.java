package dev.plimsoll.replay;

import dev.plimsoll.planner.placement.ExpertLoad;
import dev.plimsoll.replay.result.PastWindow;
import java.util.Optional;

/**
 * A window of the past as it is replayed.
 *
 * @param facts what is told of it
 * @param load tokens of every expert in the window's equal parts, whatever placement they were counted under; there if and only if the
 *     window is usable
 */
public record HistoryWindow(PastWindow facts, Optional<ExpertLoad> load) {
    public HistoryWindow {
        if (facts.usable() != load.isPresent()) {
            throw new IllegalArgumentException("window " + facts.index() + (facts.usable() ? " is" : " is not")
                    + " usable and has " + (load.isPresent() ? "" : "no ") + "load");
        }
    }

    /** One that can be planned from. */
    public static HistoryWindow of(PastWindow facts, ExpertLoad load) {
        return new HistoryWindow(facts, Optional.of(load));
    }

    /** One that cannot. */
    public static HistoryWindow unusable(PastWindow facts) {
        return new HistoryWindow(facts, Optional.empty());
    }
}
