package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.WindowSummary;
import java.util.List;

/**
 * A window, final.
 *
 * @param loads one per segment and layer (more where a layer is wide), layers in order; none when nothing was counted
 */
public record ClosedWindow(List<LoadWindow> loads, WindowSummary summary) {
    public ClosedWindow {
        loads = List.copyOf(loads);
    }
}
