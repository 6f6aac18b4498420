package dev.plimsoll.app.operator;

import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.WindowSummary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Windows, for people. */
final class WindowText {
    private WindowText() {}

    /** How much of the load a window has, on one line. */
    static String completeness(WindowSummary window) {
        List<Integer> lacking = new ArrayList<>();
        for (int rank = 0; rank < window.present().size(); rank++) {
            if (window.present().at(rank) < window.expected()) {
                lacking.add(rank);
            }
        }
        return String.format(
                Locale.ROOT,
                "window %d, steps %s: %s, %d of %d cells%s; %s; since the window before %d late, %d duplicates, %d"
                        + " conflicts, %d rejected, load of %d unattributed",
                window.index(),
                window.steps(),
                window.reason(),
                window.present().sum(),
                (long) window.expected() * window.present().size(),
                lacking.isEmpty() ? "" : ", missing from ranks " + lacking,
                window.conservation(),
                window.late(),
                window.duplicates(),
                window.conflicts(),
                window.rejected(),
                window.unattributed());
    }

    /** What was measured in it. */
    static String load(WindowSummary window) {
        String under = "under "
                + window.states().stream().map(PlacementState::toString).collect(Collectors.joining(", "));
        return window.balance().loaded()
                ? String.format(
                        Locale.ROOT,
                        "balancedness %.3f, least %.3f in layer %d, %s",
                        window.balance().mean(),
                        window.balance().min(),
                        window.balance().worstLayer(),
                        under)
                : "no load, " + under;
    }
}
