package dev.plimsoll.replay.export;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.WindowSummary;
import java.util.List;
import java.util.Optional;

/**
 * A window with all its parts.
 *
 * @param rows one per segment and layer, more where a layer is wide, each once
 * @param members empty where nobody knows any more who took part
 */
record WholeWindow(WindowSummary summary, List<LoadWindow> rows, Optional<Membership> members) {
    WholeWindow {
        rows = List.copyOf(rows);
    }
}
