package dev.plimsoll.replay;

import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.ReplayResult.Gap;
import java.util.ArrayList;
import java.util.List;

/** The windows that have gone by, and what is missing between them. */
final class PastWindows {
    private final List<PastWindow> windows = new ArrayList<>();
    private final List<Gap> gaps = new ArrayList<>();

    void add(PastWindow window) {
        if (!windows.isEmpty()) {
            long before = windows.get(windows.size() - 1).index();
            if (window.index() > before + 1) {
                gap(before + 1, window.index() - 1, "no window");
            }
        }
        if (!window.usable()) {
            gap(window.index(), window.index(), window.why());
        }
        windows.add(window);
    }

    private void gap(long from, long to, String reason) {
        int last = gaps.size() - 1;
        if (last >= 0
                && gaps.get(last).toIndex() == from - 1
                && gaps.get(last).reason().equals(reason)) {
            gaps.set(last, new Gap(gaps.get(last).fromIndex(), to, reason));
        } else {
            gaps.add(new Gap(from, to, reason));
        }
    }

    int count() {
        return windows.size();
    }

    /** A copy. */
    List<PastWindow> windows() {
        return List.copyOf(windows);
    }

    List<Gap> gaps() {
        return List.copyOf(gaps);
    }
}
