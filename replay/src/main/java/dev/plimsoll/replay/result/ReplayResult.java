package dev.plimsoll.replay.result;

import dev.plimsoll.model.ModelShape;
import java.util.List;

/**
 * All that one replay found: the past, and what each policy would have made of it.
 *
 * @param provenance where it comes from and how to get it again
 * @param windows the windows that were replayed, oldest first
 * @param gaps stretches of which there is no window
 * @param live what was decided when it happened, by {@link PolicyRun#LIVE}; none where the source has no decisions
 * @param runs one for each policy and configuration, in the order they were asked for
 * @param matrices expert loads of single windows: those with decisions and the worst ones, as far as there is room
 */
public record ReplayResult(
        Provenance provenance,
        ModelShape shape,
        List<PastWindow> windows,
        List<Gap> gaps,
        List<PolicyRun> live,
        List<PolicyRun> runs,
        List<WindowMatrix> matrices) {

    /**
     * Windows that are not there, or not whole.
     *
     * @param fromIndex first missing window
     * @param toIndex last missing window
     * @param reason why, as far as that is known
     */
    public record Gap(long fromIndex, long toIndex, String reason) {}

    public ReplayResult {
        windows = List.copyOf(windows);
        gaps = List.copyOf(gaps);
        live = List.copyOf(live);
        runs = List.copyOf(runs);
        matrices = List.copyOf(matrices);
    }
}
