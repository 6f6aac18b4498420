package dev.plimsoll.model;

/**
 * The load of one layer over one window, under one placement state: the sum of samples, final and published once.
 *
 * @param index windows are numbered per incarnation; window i covers the steps {@code (i·W, (i+1)·W]}
 * @param segment 0, 1, 2… over the placement states that the window has seen; sums never mix states
 * @param state the state that the segment was measured under
 * @param firstSlot slots {@code [firstSlot, firstSlot + load.size())} are covered; 0 unless a wide layer was cut
 * @param load {@code [slot]} tokens computed
 * @param subWindows number of equal parts of the window, 1..16
 * @param firstSubWindow the first part that {@code subSums} has; all counters of those before are zero
 * @param subSums {@code [subWindow - firstSubWindow][slot]} flattened; adds up to {@code load}, and parts behind it have zeros only
 */
public record LoadWindow(
        Deployment deployment,
        long incarnation,
        Phase phase,
        long index,
        StepRange steps,
        int layer,
        int segment,
        PlacementState state,
        int firstSlot,
        LongVector load,
        int subWindows,
        int firstSubWindow,
        LongVector subSums,
        String summary) {
    public LoadWindow {
        if (index < 0 || layer < 0 || segment < 0 || firstSlot < 0) {
            throw new IllegalArgumentException("window " + index + " layer " + layer + " segment " + segment
                    + " first slot " + firstSlot + " must not be negative");
        }
        int parts = load.size() == 0 ? 0 : subSums.size() / load.size();
        if (subWindows < 1
                || subWindows > 16
                || firstSubWindow < 0
                || parts > subWindows - firstSubWindow
                || subSums.size() != parts * load.size()) {
            throw new IllegalArgumentException(subWindows + " sub-windows of " + load.size() + " slots, those from "
                    + firstSubWindow + " on, cannot have " + subSums.size() + " counters");
        }
        if (load.anyNegative() || subSums.anyNegative()) {
            throw new IllegalArgumentException("a window's counters must not be negative");
        }
    }

    /** With counters of every part. */
    public LoadWindow(
            Deployment deployment,
            long incarnation,
            Phase phase,
            long index,
            StepRange steps,
            int layer,
            int segment,
            PlacementState state,
            int firstSlot,
            LongVector load,
            int subWindows,
            LongVector subLoad,
            String summary) {
        this(
                deployment,
                incarnation,
                phase,
                index,
                steps,
                layer,
                segment,
                state,
                firstSlot,
                load,
                subWindows,
                0,
                subLoad,
                summary);
    }

    /** {@code [subWindow][slot]} of every part, flattened. */
    public LongVector subLoad() {
        int slots = load.size();
        if (subSums.size() == subWindows * slots) {
            return subSums;
        }
        long[] all = new long[subWindows * slots];
        System.arraycopy(subSums.toArray(), 0, all, firstSubWindow * slots, subSums.size());
        return LongVector.of(all);
    }
}
